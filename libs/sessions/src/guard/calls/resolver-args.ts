import type { ArgumentsHost } from '@nestjs/common';
import { isObject } from '../../errors/option-types.js';

/** The path of a field in an operation: the field itself and those around it. */
export interface FieldPath {
  readonly prev: FieldPath | undefined;
}

/** What GraphQL tells about the field being resolved. */
export interface FieldInfo {
  readonly path: FieldPath;
  readonly operation: { readonly operation: string };
}

/** The arguments of a resolver. Resolvers of references and types have none before the context. */
export function resolverArgs(context: ArgumentsHost): {
  readonly value: unknown;
  readonly info: FieldInfo | undefined;
} {
  const args = context.getArgs();
  const at = isInfo(args[3]) ? 3 : 2;
  const info: unknown = args[at];
  return isInfo(info) ? { value: args[at - 1], info } : { value: args[2], info: undefined };
}

/** The root field of an operation that contains this field. */
export function rootOf(path: FieldPath): FieldPath {
  let root = path;
  while (root.prev) root = root.prev;
  return root;
}

function isInfo(value: unknown): value is FieldInfo {
  return isObject(value) && 'path' in value && 'operation' in value;
}
