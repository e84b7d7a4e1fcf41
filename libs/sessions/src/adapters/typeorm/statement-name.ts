import { hash } from 'node:crypto';
import type { DriverStatement } from './driver-statement.js';

/** The bytes of a name that PostgreSQL keeps. */
const BYTES = 63;

/** The characters of the hash that distinguishes the statements of a call. */
const OF_HASH = 12;

/** The most bytes of the call. */
const OF_CALL = 16;

/**
 * The name of a kept statement: its table and call, for people who look at the server or at traces, and a hash of its
 * text.
 *
 * @param generation another number gives another name
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
