import type { ColumnType } from 'typeorm';
import { describe, expect, it } from 'vitest';
import type { UnsignedType } from '../adapters/port/type-traits.js';
import { definitionProblems } from './check-definition.js';
import { DIGEST_FORMS, TIME_FORMS } from '../adapters/port/value-forms.js';
import { POLICIES, type SessionsTableDefinition } from './definition.js';
import { DATA_LOADING, FIELD_TYPES, type FieldDefinition } from './fields.js';

import {
  builtIn,
  DEFAULT_IMPOSSIBLE,
  DEFAULT_NULL,
  ENUM_WITHOUT_VALUES,
  inColumn,
  inField,
  inLimit,
  INVERSE_NEEDED,
  JOIN_COLUMN_NEEDED,
  joinColumnTaken,
  joinColumnUnknown,
  LAST_USE_NEEDED,
  LIMIT_OF_NO_FIELD,
  NO_LENGTH,
  NO_SCOPES,
  noColumn,
  noDataLoading,
  noDefault,
  noFieldType,
  noForm,
  noIdentifier,
  noKind,
  noMax,
  noName,
  NO_PRECISION,
  noPolicy,
  noReason,
  noScope,
  otherValues,
  ownerJson,
  ownerUnknown,
  PRECISION_OF_FORM,
  wrongPrecision,
} from './messages.js';
import { RELATION_KINDS } from './sound-definition.js';

/** A definition as given in JavaScript, without type checks. */
const problemsOf = (definition: object): string[] => definitionProblems(definition);

/** The problems with one extra field, without the prefix that names it. */
const problemsOfField = (field: object): string[] =>
  problemsOf({ extraFields: { field } }).map((problem) => problem.replace('extraFields.field: ', ''));

const User = class {};

describe('definitionProblems', () => {
  it('finds none in a definition with every type and relation', () => {
    const definition: SessionsTableDefinition = {
      table: 'api_keys',
      schema: 'auth',
      dataSource: 'main',
      extraFields: {
        userId: { type: 'string', length: 36, index: true, default: 'nobody' },
        text: { type: 'text', nullable: true, default: null },
        uuid: { type: 'uuid', unique: true, default: '018f3c4e-0000-7000-8000-000000000000' },
        int: { type: 'int', default: -5 },
        bigint: { type: 'bigint', default: 5n },
        number: { type: 'number', default: 0.5 },
        boolean: { type: 'boolean', default: false },
        timestamp: { type: 'timestamp', default: new Date(0) },
        json: { type: 'json', default: { a: [1] } },
        enum: { type: 'enum', values: ['a', 'b'], default: 'b' },
        profileId: { type: 'uuid', nullable: true },
        user: { manyToOne: () => User, joinColumn: 'userId', onDelete: 'CASCADE' },
        profile: { oneToOne: () => User, joinColumn: 'profileId' },
        badge: { oneToOne: () => User, inverse: 'session' },
        entries: { oneToMany: () => User, inverse: 'session' },
        tags: { manyToMany: () => User, joinTable: 'session_tags' },
      },
      columns: { createdAt: 'inserted_at', userId: { name: 'uid' }, authTokenDigest: 'digest' },
    };
    expect(definitionProblems(definition)).toEqual([]);
  });

  it('tells all problems at once, each with its place', () => {
    expect(
      problemsOf({
        table: ' ',
        schema: '',
        dataSource: '',
        extraFields: { id: { type: 'int' }, 'a-b': { type: 'int' }, level: { type: 'enum' }, what: {} },
        columns: { nothing: 'x', authToken: 'y' },
      }),
    ).toEqual([
      noName('table', ' '),
      noName('schema', ''),
      noName('dataSource', ''),
      builtIn('id'),
      noIdentifier('a-b'),
      inField('level', ENUM_WITHOUT_VALUES),
      inField('what', noKind(RELATION_KINDS)),
      noColumn('nothing'),
      noColumn('authToken'),
    ]);
  });

  it.each([
    'id',
    'authToken',
    'authTokenDigest',
    'previousTokenDigest',
    'data',
    'expiresAt',
    'isExpired',
    'createdAt',
    'updatedAt',
    'revokedAt',
    'revokedReason',
    'rotatedAt',
    'authenticatedAt',
    'scopes',
    'status',
  ])('refuses an extra field "%s"', (name) => {
    expect(problemsOf({ extraFields: { [name]: { type: 'string' } } })).toEqual([builtIn(name)]);
  });

  it('refuses another time to load data than with the session and on demand', () => {
    expect(problemsOf({ data: 'onDemand' })).toEqual([]);
    expect(problemsOf({ data: 'withSession' })).toEqual([]);
    expect(problemsOf({ data: 'lazy' })).toEqual([noDataLoading(DATA_LOADING)]);
  });

  it.each(['', ' ', '\0', 'a\0b'])('refuses the name %o for table, schema and data source', (name) => {
    expect(problemsOf({ table: name, schema: name, dataSource: name })).toHaveLength(3);
  });

  it.each(['', '1st', 'a b', 'a;b', 'é', '__proto__ ', '__proto__'])('refuses an extra field named %o', (name) => {
    expect(problemsOf({ extraFields: { [name]: { type: 'string' } } })).toEqual([noIdentifier(name)]);
  });
});

describe('a field', () => {
  it('needs a known type', () => {
    expect(problemsOfField({ type: 'money' })).toEqual([noFieldType(FIELD_TYPES, 'money')]);
  });

  it.each([[undefined], [[]]])('of type enum needs values, not %o', (values) => {
    expect(problemsOfField({ type: 'enum', values })).toEqual([ENUM_WITHOUT_VALUES]);
  });

  it.each([
    { type: 'text', length: 5 },
    { type: 'string', length: 0 },
    { type: 'string', length: 1.5 },
  ])('refuses the length of %o', (field) => {
    expect(problemsOfField(field)).toEqual([NO_LENGTH]);
  });

  it.each([
    [{ type: 'string', default: 5 }, noDefault('must be text, not the number 5')],
    [{ type: 'string', length: 2, default: 'abc' }, DEFAULT_IMPOSSIBLE],
    [{ type: 'uuid', default: 'abc' }, DEFAULT_IMPOSSIBLE],
    [{ type: 'int', default: 2 ** 31 }, noDefault('must be a whole number of 32 bits, not the number 2147483648')],
    [
      { type: 'bigint', default: '9223372036854775808' },
      noDefault('must be a whole number of 64 bits, as a bigint, a safe number or decimal text, not a string'),
    ],
    [{ type: 'number', default: NaN }, noDefault('must be a finite number, not the number NaN')],
    [{ type: 'boolean', default: 'yes' }, noDefault('must be true or false, not a string')],
    [{ type: 'timestamp', default: 0 }, noDefault('must be a Date between the years 1000 and 9999, not the number 0')],
    [{ type: 'json', default: 5n }, noDefault('must be JSON (no cycles, no bigint), not a bigint')],
    [{ type: 'enum', values: ['a'], default: 'b' }, DEFAULT_IMPOSSIBLE],
    [{ type: 'int', default: null }, DEFAULT_NULL],
  ])('refuses the default of %o', (field, problem) => {
    expect(problemsOfField(field)).toEqual([problem]);
  });
});

describe('a relation', () => {
  const relation = { manyToOne: () => User };

  it.each([{ ...relation, oneToMany: () => User }, {}])('is of one kind, unlike %o', (field) => {
    expect(problemsOfField(field)).toEqual([noKind(RELATION_KINDS)]);
  });

  it.each([
    [relation, JOIN_COLUMN_NEEDED],
    [{ oneToOne: () => User }, JOIN_COLUMN_NEEDED],
    [{ ...relation, joinColumn: 'nowhere' }, joinColumnUnknown('nowhere')],
    [{ oneToMany: () => User }, INVERSE_NEEDED],
  ])('refuses %o', (field, problem) => {
    expect(problemsOfField(field)).toEqual([problem]);
  });

  it('has a join column of its own', () => {
    const extraFields = {
      userId: { type: 'string' },
      a: { ...relation, joinColumn: 'userId' },
      b: { ...relation, joinColumn: 'userId' },
    };
    expect(problemsOf({ extraFields })).toEqual([
      inField('a', joinColumnTaken('userId')),
      inField('b', joinColumnTaken('userId')),
    ]);
  });
});

describe('scopes', () => {
  it('are any text of their characters (RFC 6750 §3)', () => {
    expect(problemsOf({ scopes: ['posts:read', 'a.b/c?d=e', 'https://example.com/scope', "it's"] })).toEqual([]);
  });

  it('are one at least', () => {
    expect(problemsOf({ scopes: [] })).toEqual([NO_SCOPES]);
  });

  it.each(['', 'a b', 'posts:*', '*', 'a"b', String.raw`a\b`, 'é', 'a\n'])('are not %j', (scope) => {
    expect(problemsOf({ scopes: ['posts:read', scope] })).toEqual([noScope(scope)]);
  });
});

describe('reasons of revocations', () => {
  it.each([true, false, {}, { reasons: [] }, { reasons: ['fraud', 'device_lost2', 'a'.repeat(64)] }])(
    'may be %o',
    (revocation) => {
      expect(problemsOf({ revocation })).toEqual([]);
    },
  );

  it.each(['', 'Fraud', 'lost device', 'lost-device', 'é', 'a'.repeat(65)])('are not %j', (reason) => {
    expect(problemsOf({ revocation: { reasons: ['fraud', reason] } })).toEqual([noReason(64, reason)]);
  });
});

describe('limits of sessions', () => {
  const extraFields = { userId: { type: 'string' }, user: { manyToOne: () => User, joinColumn: 'userId' } };
  const problemsOfLimit = (limit: object, name = 'userId'): string[] =>
    problemsOf({ extraFields, sessionLimits: { [name]: limit } });

  it.each([{ max: 1 }, { max: 5, whenFull: 'reject' }, { max: 5, whenFull: 'endOldest' }])('may be %o', (limit) => {
    expect(problemsOfLimit(limit)).toEqual([]);
  });

  it.each(['nothing', 'id', 'user'])('are for values of an extra field, not of %s', (name) => {
    expect(problemsOfLimit({ max: 1 }, name)).toEqual([inLimit(name, LIMIT_OF_NO_FIELD)]);
  });

  it.each([0, -1, 1.5, NaN, Infinity, '3', null])('are whole numbers of at least 1, not %j', (max) => {
    expect(problemsOfLimit({ max })).toEqual([inLimit('userId', noMax(max))]);
  });

  it('end sessions in a way that there is', () => {
    expect(problemsOfLimit({ max: 1, whenFull: 'endAll' })).toEqual([inLimit('userId', noPolicy(POLICIES))]);
  });

  it('need the last use where they go by it', () => {
    const sessionLimits = { userId: { max: 1, whenFull: 'endLeastRecentlyUsed' } };
    expect(problemsOf({ extraFields, sessionLimits })).toEqual([inLimit('userId', LAST_USE_NEEDED)]);
    expect(problemsOf({ extraFields, sessionLimits, lastUse: true })).toEqual([]);
  });

  it('are all told at once', () => {
    expect(problemsOfLimit({ max: 0, whenFull: 'endAll' }, 'nothing')).toHaveLength(3);
  });
});

describe('the owner', () => {
  const extraFields = {
    userId: { type: 'string' },
    extra: { type: 'json' },
    user: { manyToOne: () => User, joinColumn: 'userId' },
  };

  it('is an extra field', () => {
    expect(problemsOf({ extraFields, owner: 'userId' })).toEqual([]);
  });

  it.each(['nothing', 'id', 'user', 5, null])('is not %j', (owner) => {
    expect(problemsOf({ extraFields, owner })).toEqual([ownerUnknown(owner)]);
  });

  it('is no JSON', () => {
    expect(problemsOf({ extraFields, owner: 'extra' })).toEqual([ownerJson('extra')]);
  });
});

describe('forms of columns', () => {
  const problemsOfColumn = (name: string, mapping: object): string[] =>
    problemsOf({ extraFields: { seen: { type: 'timestamp' }, n: { type: 'int' } }, columns: { [name]: mapping } });

  it.each([
    ['expiresAt', { form: 'seconds', type: 'bigint' }],
    ['seen', { form: 'YYYY-MM-DDTHH:mm:ss.SSSZ' }],
    ['createdAt', { precision: 0 }],
    ['authTokenDigest', { form: 'base64url' }],
  ])('are taken: %s %j', (name, mapping) => {
    expect(problemsOfColumn(name, mapping)).toEqual([]);
  });

  it.each([
    ['expiresAt', { form: 'days' }, noForm('days', TIME_FORMS)],
    ['expiresAt', { form: 5 }, noForm(5, TIME_FORMS)],
    ['seen', { form: 'hex' }, noForm('hex', TIME_FORMS)],
    ['authTokenDigest', { form: 'base64' }, noForm('base64', DIGEST_FORMS)],
    ['n', { form: 'seconds' }, noForm('seconds', [])],
    ['n', { precision: 0 }, NO_PRECISION],
    ['expiresAt', { precision: 7 }, wrongPrecision(7)],
    ['expiresAt', { precision: '3' }, wrongPrecision('3')],
    ['expiresAt', { precision: 3, form: 'seconds' }, PRECISION_OF_FORM],
  ])('are refused: %s %j', (name, mapping, problem) => {
    expect(problemsOfColumn(name, mapping)).toEqual([inColumn(name, problem)]);
  });
});

describe('types of columns', () => {
  const transformer = { to: (value: unknown) => value, from: Number };
  const problemsOfType = (field: object, type: ColumnType | UnsignedType, name = 'own'): string[] =>
    problemsOf({ ownLimits: true, extraFields: { own: field as FieldDefinition }, columns: { [name]: { type } } });

  it.each([
    [{ type: 'int' }, 'double precision'],
    [{ type: 'int' }, 'smallint'],
    [{ type: 'int' }, 'int unsigned'],
    [{ type: 'number' }, Number],
    [{ type: 'bigint' }, 'numeric'],
    [{ type: 'string' }, 'numeric'],
    [{ type: 'string' }, 'inet'],
    [{ type: 'uuid' }, 'varchar'],
    [{ type: 'enum', values: ['a'] }, 'citext'],
    [{ type: 'json' }, 'simple-json'],
    [{ type: 'int' }, 'jsonb'],
    [{ type: 'timestamp' }, 'bigint'],
    [{ type: 'number', transformer }, 'numeric'],
  ] as const)('are taken: %j in %s', (field, type) => {
    expect(problemsOfType(field, type)).toEqual([]);
  });

  it.each([
    [{ type: 'number' }, 'numeric', 'text', 'numbers'],
    [{ type: 'int' }, 'bigint', 'text', 'numbers'],
    [{ type: 'int' }, 'bigint unsigned', 'text', 'numbers'],
    [{ type: 'bigint' }, 'int', 'numbers', 'text'],
    [{ type: 'boolean' }, 'tinyint', 'numbers', 'booleans'],
    [{ type: 'string' }, Boolean, 'booleans', 'text'],
    [{ type: 'json' }, 'text', 'text', 'JSON'],
  ] as const)('are refused whose values are others: %j in %s', (field, type, given, said) => {
    expect(problemsOfType(field, type)).toEqual([inColumn('own', otherValues(type, given, said))]);
  });

  it('are refused of built-in columns too', () => {
    const problem = inColumn('idleTtl', otherValues('bigint', 'text', 'numbers'));
    expect(problemsOfType({ type: 'int' }, 'bigint', 'idleTtl')).toEqual([problem]);
    expect(problemsOfType({ type: 'int' }, 'bigint', 'id')).toEqual([]);
  });
});

describe('columns of what a table does not keep', () => {
  const keeping = {
    ownLimits: true,
    lastUse: { ip: true },
    revocation: true,
    rotation: true,
    freshness: true,
    scopes: ['posts:read'],
  };

  it.each([
    'lastUsedAt',
    'lastUsedIp',
    'idleTtl',
    'absoluteExpiresAt',
    'revokedAt',
    'revokedReason',
    'previousTokenDigest',
    'rotatedAt',
    'authenticatedAt',
    'scopes',
  ])('are refused: %s', (name) => {
    expect(problemsOf({ columns: { [name]: 'x' } })).toEqual([noColumn(name)]);
    expect(problemsOf({ columns: { [name]: 'x' }, ...keeping })).toEqual([]);
  });
});
