import { hash } from 'node:crypto';
import type { DriverStatement } from './driver-statement.js';

/** Bytes that PostgreSQL keeps of a name. */
const BYTES = 63;

/** Characters of the hash that tells apart the statements of a call. */
const OF_HASH = 12;

/** The most bytes of the call. */
const OF_CALL = 16;

/**
 * The name of a kept statement: of its table and its call, for those who look at the server, or at traces, and of its text.
 *
 * @param generation another one makes another name
 */
export function statementName(
  { table, call, text }: { readonly table: { readonly name: string } } & Pick<DriverStatement, 'call' | 'text'>,
  generation: number,
): string {
  const of = cut(typeof call === 'string' ? call : 'query', OF_CALL);
  const tail = `:${of}:${hash('sha256', `${generation} ${text}`, 'base64url').slice(0, OF_HASH)}`;
  return cut(`nest_sessions:${table.name}`, BYTES - Buffer.byteLength(tail)) + tail;
}

/** As much of a text as fits, in whole characters. */
function cut(text: string, bytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytes));
  return text.slice(0, read);
}
