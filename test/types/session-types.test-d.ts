import {
  type JsonValue,
  type NewSessionOf,
  type SessionChangesOf,
  type SessionOf,
  SessionsService,
  SessionsTable,
  type WithToken,
} from '@app/sessions';
import type { Equal, Expect } from './expect-type.js';

class User {
  readonly name!: string;
}
class Entry {
  readonly text!: string;
}

class Bare extends SessionsTable({}) {}

class Sessions extends SessionsTable({
  extraFields: {
    userId: { type: 'string' },
    text: { type: 'text', nullable: true },
    uuid: { type: 'uuid', immutable: true },
    int: { type: 'int', default: 0 },
    bigint: { type: 'bigint' },
    number: { type: 'number', nullable: true, default: null },
    boolean: { type: 'boolean', nullable: false },
    timestamp: { type: 'timestamp' },
    json: { type: 'json' },
    level: { type: 'enum', values: ['low', 'high'], default: 'low' },
    origin: { type: 'string', nullable: true, immutable: true },
    tags: {
      type: 'string',
      transformer: {
        to: (tags: readonly string[]) => tags.join(','),
        from: (text: string): readonly string[] => text.split(','),
      },
    },
    user: { manyToOne: () => User, joinColumn: 'userId' },
    badge: { oneToOne: () => Entry, inverse: 'session' },
    entries: { oneToMany: () => Entry, inverse: 'session' },
    friends: { manyToMany: () => User },
    other: { oneToMany: () => 'Other', inverse: 'session' },
  },
}) {}

interface BuiltIn {
  readonly id: string;
  data: Record<string, unknown>;
  expiresAt: Date | null;
  readonly isExpired: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
type Plain<T> = { [K in keyof T]: T[K] };

// SessionOf
export type BareSession = Expect<Equal<Plain<SessionOf<Bare>>, Plain<BuiltIn>>>;
export type FullSession = Expect<
  Equal<
    Plain<SessionOf<Sessions>>,
    Plain<
      BuiltIn & {
        userId: string;
        text: string | null;
        uuid: string;
        int: number;
        bigint: string;
        number: number | null;
        boolean: boolean;
        timestamp: Date;
        json: JsonValue;
        level: 'low' | 'high';
        origin: string | null;
        tags: readonly string[];
        user?: User | null;
        badge?: Entry | null;
        entries?: Entry[];
        friends?: User[];
        other?: unknown[];
      }
    >
  >
>;

// NewSessionOf: nullable fields and those with a default may be left out, relations are no attributes.
export type BareNew = Expect<
  Equal<Plain<NewSessionOf<Bare>>, { data?: Record<string, unknown>; expiresAt?: Date | null }>
>;
export type FullNew = Expect<
  Equal<
    Plain<NewSessionOf<Sessions>>,
    {
      data?: Record<string, unknown>;
      expiresAt?: Date | null;
      userId: string;
      uuid: string;
      bigint: string | number | bigint;
      boolean: boolean;
      timestamp: Date;
      json: JsonValue;
      tags: readonly string[];
      text?: string | null;
      int?: number;
      number?: number | null;
      level?: 'low' | 'high';
      origin?: string | null;
    }
  >
>;

// SessionChangesOf: everything may be left out, immutable fields have to be.
export type BareChanges = Expect<
  Equal<Plain<SessionChangesOf<Bare>>, { data?: Record<string, unknown>; expiresAt?: Date | null }>
>;
export type FullChanges = Expect<
  Equal<
    Plain<SessionChangesOf<Sessions>>,
    {
      data?: Record<string, unknown>;
      expiresAt?: Date | null;
      userId?: string;
      text?: string | null;
      int?: number;
      bigint?: string | number | bigint;
      number?: number | null;
      boolean?: boolean;
      timestamp?: Date;
      json?: JsonValue;
      level?: 'low' | 'high';
      tags?: readonly string[];
    }
  >
>;

// A field that is either of two has the values of both.
declare const either: boolean;
class Either extends SessionsTable({
  table: 'either',
  extraFields: { field: either ? { type: 'string', nullable: true } : { type: 'int', default: 0 } },
}) {}
export type EitherField = Expect<Equal<SessionOf<Either>['field'], string | number | null>>;

// What is no table has no session.
export type NoSession = Expect<Equal<SessionOf<User>, never>>;

export async function calls(bare: Bare, sessions: Sessions): Promise<void> {
  // Only what `create` gives has a token.
  const created = await bare.create({});
  created satisfies WithToken<SessionOf<Bare>>;
  created.authToken satisfies string;
  // @ts-expect-error the token is given once and cannot be changed
  created.authToken = 'x';
  const found = await sessions.getOrFail({});
  // @ts-expect-error a session that was read has no token
  void found.authToken;
  // @ts-expect-error nor one of a list
  void (await sessions.list())[0]?.authToken;
  // @ts-expect-error nor one that was updated
  void (await sessions.update(found, {})).authToken;
  // @ts-expect-error nor one that was authenticated
  void (await sessions.authenticate('x'))?.authToken;
  // @ts-expect-error the digest is nowhere
  void created.authTokenDigest;
  // @ts-expect-error one session, or none
  void (await sessions.get({})).id;
  // @ts-expect-error what the library sets is read-only
  found.id = 'x';
  found satisfies SessionOf<Sessions>;

  // @ts-expect-error required fields are missing
  await sessions.create({});
  // @ts-expect-error no field of the table
  await bare.create({ userId: 'u1' });
  // @ts-expect-error data is an object
  await bare.create({ data: 'text' });
  // @ts-expect-error a Date
  await bare.create({ expiresAt: '2026-01-01' });
  // @ts-expect-error an id is made by the library
  await bare.create({ id: 'x' });
  await sessions.update(found, { int: 5, text: null, bigint: 5n });
  await sessions.update({ id: 'x' }, {});
  // @ts-expect-error immutable
  await sessions.update(found, { uuid: 'x' });
  // @ts-expect-error immutable, although nullable
  await sessions.update(found, { origin: null });
  // @ts-expect-error not nullable
  await sessions.update(found, { userId: null });
  // @ts-expect-error not one of the values
  await sessions.update(found, { level: 'middle' });
  // @ts-expect-error a relation is changed by its key
  await sessions.update(found, { user: new User() });

  // Relations are there when they were loaded.
  const loaded = await sessions.getOrFail({}, { relations: ['user', 'entries'] });
  loaded.user?.name satisfies string | undefined;
  loaded.entries?.[0]?.text satisfies string | undefined;
  // @ts-expect-error no relation of the table
  await sessions.get({}, { relations: ['userId'] });
  // @ts-expect-error a table without relations
  await bare.get({}, { relations: ['user'] });
}

export async function untyped(sessions: SessionsService): Promise<void> {
  // A service whose fields the compiler does not know takes and gives any.
  const session = await sessions.create({ userId: 'u1', anything: 5, data: {}, expiresAt: null });
  session.authToken satisfies string;
  session.id satisfies string;
  session.expiresAt satisfies Date | null;
  session['userId'] satisfies unknown;
  await sessions.update(session, { whatever: true });
  await sessions.list({ userId: 'u1', status: 'all' }, { order: { userId: 'ASC' }, relations: ['user'] });
  // @ts-expect-error but the built-in ones it knows
  await sessions.list({ status: 'active' });
  // @ts-expect-error and their types
  await sessions.create({ expiresAt: 'tomorrow' });
}

// A typed service of one table is none of another, but any is a service.
export function assignability(bare: Bare, sessions: Sessions): void {
  sessions satisfies SessionsService<NonNullable<Sessions['fields']>>;
  bare satisfies Pick<SessionsService, 'deleteExpired' | 'delete' | 'expire'>;
}
