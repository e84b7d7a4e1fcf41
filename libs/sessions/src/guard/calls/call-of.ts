import type { ExecutionContext } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import type { RpcOptions } from '../../options/rpc.options.js';
import { unknownCall } from '../messages.js';
import type { GuardedCall } from './call.js';
import { graphqlCall } from './graphql-call.js';
import { rpcCall } from './rpc-call.js';
import { wsCall } from './ws-call.js';

/** Reads a call of a transport other than HTTP. @throws TypeError for a type that the library does not know */
export function callOf(
  context: ExecutionContext,
  adapter: AbstractHttpAdapter,
  options: { readonly rpc?: RpcOptions },
): GuardedCall {
  const type = context.getType<string>();
  switch (type) {
    case 'graphql':
      return graphqlCall(context, adapter);
    case 'ws':
      return wsCall(context);
    case 'rpc':
      return rpcCall(context, options.rpc);
    default:
      throw new TypeError(unknownCall(type));
  }
}
