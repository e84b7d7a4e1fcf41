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

/** The field being resolved. Resolvers of references and types have no arguments before the context, so theirs comes earlier. */
export function fieldOf(context: ArgumentsHost): FieldInfo | undefined {
  const last = context.getArgByIndex<unknown>(3);
  if (isInfo(last)) return last;
  const earlier = context.getArgByIndex<unknown>(2);
  return isInfo(earlier) ? earlier : undefined;
}

/** The context of the operation, which precedes the field in the arguments of a resolver. */
export function operationOf(context: ArgumentsHost, field: FieldInfo | undefined): unknown {
  return context.getArgByIndex<unknown>(field && context.getArgByIndex<unknown>(2) === field ? 1 : 2);
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
