import { SessionsModule, SessionsTable, type SessionsTableDefinition } from '@app/sessions';

const User = class {};

// What is wrong is an error on the very key, so that an editor underlines it there.
SessionsTable({
  extraFields: {
    // @ts-expect-error built into every session
    id: { type: 'string' },
    // @ts-expect-error built into every session
    data: { type: 'json' },
    // @ts-expect-error built into every session
    authToken: { type: 'string' },
    // @ts-expect-error built into every session
    authTokenDigest: { type: 'string' },
    // @ts-expect-error built into every session
    expiresAt: { type: 'timestamp' },
    // @ts-expect-error built into every session
    isExpired: { type: 'boolean' },
    // @ts-expect-error built into every session
    createdAt: { type: 'timestamp' },
    // @ts-expect-error built into every session
    updatedAt: { type: 'timestamp' },
    // @ts-expect-error a word of the filters
    status: { type: 'string' },
    good: { type: 'string' },
  },
});

SessionsTable({
  extraFields: {
    // @ts-expect-error no such type
    money: { type: 'money' },
    good: { type: 'string' },
  },
});

SessionsTable({
  extraFields: {
    good: { type: 'int', default: 5 },
    // @ts-expect-error text for a number
    int: { type: 'int', default: '5' },
    // @ts-expect-error a number for text
    string: { type: 'string', default: 5 },
    // @ts-expect-error text for a date
    timestamp: { type: 'timestamp', default: 'now' },
    // @ts-expect-error not one of the values
    level: { type: 'enum', values: ['low', 'high'], default: 'middle' },
    // @ts-expect-error null without nullable
    nothing: { type: 'string', default: null },
    null: { type: 'string', nullable: true, default: null },
    bigint: { type: 'bigint', default: 5n },
    json: { type: 'json', default: { a: [1] } },
    date: { type: 'timestamp', default: new Date(0) },
    other: { type: 'enum', values: ['low', 'high'], default: 'high' },
  },
});

// A misspelt option of a field, or of a part of the definition, is an error on its key.
SessionsTable({
  extraFields: {
    userId: {
      type: 'string',
      // @ts-expect-error no option
      lenght: 36,
      // @ts-expect-error no option
      uniqe: true,
    },
    user: {
      manyToOne: () => User,
      joinColumn: 'userId',
      // @ts-expect-error no option
      onDelte: 'CASCADE',
    },
    good: { type: 'string', length: 36, unique: true, index: true, immutable: true, nullable: true, default: null },
  },
  revocation: {
    reasons: ['fraud'],
    // @ts-expect-error no option
    resons: ['fraud'],
  },
  lastUse: {
    ip: true,
    // @ts-expect-error no option
    useragent: true,
  },
  pruning: {
    // @ts-expect-error no option
    intervall: '1h',
  },
  columns: {
    userId: {
      name: 'user_id',
      // @ts-expect-error no option
      typ: 'uuid',
    },
  },
});

SessionsTable({
  extraFields: {
    // @ts-expect-error an enum needs its values
    level: { type: 'enum' },
    good: { type: 'enum', values: ['a'] },
  },
});

SessionsTable({
  extraFields: {
    // @ts-expect-error and at least one
    level: { type: 'enum', values: [] },
  },
});

SessionsTable({
  extraFields: {
    userId: { type: 'string' },
    good: { manyToOne: () => User, joinColumn: 'userId' },
    // @ts-expect-error no field of the table
    user: { manyToOne: () => User, joinColumn: 'nothing' },
    // @ts-expect-error a relation is no field
    friend: { oneToOne: () => User, joinColumn: 'good' },
  },
});

SessionsTable({
  extraFields: {
    // @ts-expect-error no join column
    owner: { manyToOne: () => User },
    // @ts-expect-error no inverse
    entries: { oneToMany: () => User },
  },
});

SessionsTable({
  extraFields: { userId: { type: 'string' } },
  columns: {
    userId: 'user_id',
    authTokenDigest: 'digest',
    createdAt: { name: 'inserted_at', type: 'timestamptz' },
    // @ts-expect-error no column
    nothing: 'x',
  },
});

// @ts-expect-error no algorithm that the library knows
SessionsTable({ hashingAlgorithm: 'md5' });
// @ts-expect-error no duration
SessionsTable({ sessionTtl: 'soon' });
// @ts-expect-error no option
SessionsTable({ wrong: true });

SessionsTable({
  table: 'api_keys',
  schema: 'auth',
  dataSource: 'main',
  tokenPrefix: 'key',
  sessionTtl: null,
  extendSessionStaleTime: 0,
  autoExtendSession: false,
  authTokenLength: 30,
  hashingAlgorithm: 'sha3-256',
  secretSalt: 'salt',
  pruning: { cron: '0 3 * * *' },
  credentials: ['bearer', { header: 'X-Auth-Token' }],
});

// The short form is checked alike.
SessionsModule.forFeature({ table: 'sessions', extraFields: { userId: { type: 'string', default: 'x' } } });
SessionsModule.forFeature(SessionsTable({}));
// One of whose fields the compiler knows nothing is taken as it is.
declare const someDefinition: SessionsTableDefinition;
SessionsModule.forFeature(someDefinition);
SessionsTable(someDefinition);
SessionsModule.forFeature({
  extraFields: {
    // @ts-expect-error text for a number
    int: { type: 'int', default: '5' },
    userId: {
      type: 'string',
      // @ts-expect-error no option
      lenght: 36,
    },
  },
});

export const Formed = SessionsTable({
  table: 'formed',
  columns: {
    expiresAt: { type: 'bigint', form: 'milliseconds' },
    createdAt: { form: 'YYYY-MM-DDTHH:mm:ss.SSSZ' },
    updatedAt: { precision: 0 },
    authTokenDigest: { form: 'base64url' },
  },
});
// @ts-expect-error a form that there is not
export const Unformed = SessionsTable({ table: 'unformed', columns: { expiresAt: { form: 'YYYY-MM-DD' } } });
