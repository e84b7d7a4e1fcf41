import type { ExecutionContext } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { unknownCall } from '../messages.js';
import type { GuardedCall } from './call.js';
import { graphqlCall } from './graphql-call.js';

/** A call of another transport than HTTP. @throws TypeError for a type that the library does not know */
export function callOf(context: ExecutionContext, adapter: AbstractHttpAdapter): GuardedCall {
  const type = context.getType<string>();
  switch (type) {
    case 'graphql':
      return graphqlCall(context, adapter);
    default:
      throw new TypeError(unknownCall(type));
  }
}
