import { beforeAll, expect, it } from 'vitest';
import { compile, type Snippet } from '../docs/snippets.js';

const TABLE = `import type { EntityManager } from 'typeorm';
import { SessionsTable, type SessionOf } from 'nest-sessions';

class Devices extends SessionsTable({
  extraFields: {
    userId: { type: 'string' },
    note: { type: 'string', nullable: true },
    visits: { type: 'int', default: 0 },
  },
  ownLimits: true,
  freshness: true,
}) {}
declare const devices: Devices;
declare const session: SessionOf<Devices>;
declare const text: string | undefined;
declare const number: number | undefined;
declare const date: Date | undefined;
declare const manager: EntityManager | undefined;
declare const presented: SessionOf<Devices> | undefined;
export {};
`;

const snippet = (code: string, line: number): Snippet => ({ file: 'exact.md', line, code: TABLE + code });

const TAKEN = [
  "await devices.create({ userId: 'u1', note: text, visits: number, expiresAt: date, data: undefined });",
  "await devices.create({ userId: 'u1' }, { ttl: number, absoluteTtl: number, manager, extend: undefined });",
  "await devices.signIn({ userId: 'u1' }, { replaces: presented, provedAt: date, manager });",
  'await devices.update(session, { userId: text, note: text, data: undefined }, { ifUnchanged: undefined, manager });',
  'await devices.revoke(session, { reason: undefined, manager });',
  "await devices.list({ userId: 'u1' }, { take: number, skip: number, order: undefined, manager });",
  'await devices.authenticate(text, { autoExtend: undefined, use: undefined, authoritative: undefined });',
].map((code, i) => snippet(code, 100 * i + 1));

const REFUSED = [
  'await devices.create({ userId: text });',
  'await devices.list({ userId: text });',
  'await devices.revokeAll({ note: text });',
].map((code, i) => snippet(code, 100 * i + 1001));

let problemsOf: (one: Snippet) => string[];
beforeAll(() => {
  problemsOf = compile([...TAKEN, ...REFUSED], { exactOptionalPropertyTypes: true });
});

const title = (one: Snippet): readonly [string, Snippet] => [one.code.slice(TABLE.length), one];

it.each(TAKEN.map(title))('under exactOptionalPropertyTypes what may be left out may be undefined: %s', (_, one) => {
  expect(problemsOf(one)).toEqual([]);
});

it.each(REFUSED.map(title))('what has to be given, and a filter, may not: %s', (_, one) => {
  expect(problemsOf(one)).not.toEqual([]);
});
