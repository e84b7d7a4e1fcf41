import { describe, expect, it } from 'vitest';
import type {
  ColumnFacts,
  DatabaseFacts,
  IndexFacts,
  PreparedFacts,
  ServerFacts,
  TableFacts,
} from '../../adapters/port/table-facts.js';
import { SessionMark } from '../../adapters/port/session-mark.js';
import { resolveOptions } from '../../options/resolve-options.js';
import type { SessionsTableDefinition } from '../definition.js';
import { builtInColumnsOf, builtInIndexes } from '../columns.js';
import { fieldsOf } from '../definition.js';
import { checkServer, checkTable, type Findings } from './check-table.js';
import { type Finding, inWords } from './finding.js';
import * as messages from './messages.js';

class Sessions {}
class Others {}

const DEFINITION: SessionsTableDefinition = {
  extraFields: { userId: { type: 'string', length: 36, index: true }, email: { type: 'string', unique: true } },
  sessionLimits: { userId: { max: 5 } },
};
const SERVER: ServerFacts = { product: 'postgres' };

/** The facts about the table that a definition describes. */
function tableOf(definition: SessionsTableDefinition): TableFacts {
  const all = [...builtInColumnsOf(definition), ...fieldsOf(definition)];
  const columns = all.map(([name, { type, length, nullable = false }]): ColumnFacts => {
    const kind = type === 'string' ? 'character varying' : type;
    return { name, type: kind, nullable, hasDefault: false, ...(type === 'string' && { length: length ?? 255 }) };
  });
  const index = (indexed: readonly string[], unique = false): IndexFacts => {
    return { name: indexed.join(), columns: indexed, unique, primary: false, valid: true };
  };
  const fields = fieldsOf(definition).filter(([, field]) => field.index === true || field.unique === true);
  const indexes = [
    index(['authTokenDigest'], true),
    ...builtInIndexes(definition).map((indexed) => index(indexed)),
    ...fields.map(([name, { unique }]) => index([name], unique)),
  ];
  return {
    name: 'sessions',
    kind: 'table',
    columns: new Map(columns.map((column) => [column.name, column])),
    primary: ['id'],
    indexes,
    entity: {
      path: '"sessions"',
      columns: new Map(all.map(([name]) => [name, { name, addedBy: `ALTER TABLE sessions ADD ${name}` }])),
      indexes: indexes.map(({ columns: indexed, unique }) => {
        return { columns: indexed as string[], unique, addedBy: `CREATE INDEX ${indexed.join()}` };
      }),
    },
  };
}

interface Case {
  readonly definition?: SessionsTableDefinition;
  readonly server?: ServerFacts;
  readonly names?: DatabaseFacts['names'];
  readonly prepared?: PreparedFacts;
  /** Whether the table of marks exists. */
  readonly marks?: boolean;
  /** How the database differs from the definition. */
  readonly table?: (table: TableFacts) => Partial<TableFacts>;
}

function check({
  definition = DEFINITION,
  server = SERVER,
  table,
  names = new Map(),
  prepared,
  marks = true,
}: Case): Findings {
  const sound = tableOf(definition);
  const tables = new Map([[Sessions, { ...sound, ...table?.(sound) }]]);
  if (marks) tables.set(SessionMark, sound);
  const facts = { server, names, unread: [], tables, ...(prepared && { prepared }) };
  const options = resolveOptions(definition, () => undefined);
  return checkTable({ definition, entity: Sessions, options }, facts);
}

type Name = readonly [given: string, stored: string];

function namesOf([given, stored]: Name, [otherGiven, otherStored]: Name): DatabaseFacts['names'] {
  return new Map([
    [Sessions, { given, stored }],
    [Others, { given: otherGiven, stored: otherStored }],
  ]);
}

/** A table with one column added or changed. */
const withColumn =
  (name: string, change: Partial<ColumnFacts>) =>
  ({ columns }: TableFacts): Partial<TableFacts> => {
    const column = { name, type: 'integer', nullable: true, hasDefault: false, ...columns.get(name), ...change };
    return { columns: new Map([...columns, [name, column]]) };
  };

const withoutColumn =
  (name: string) =>
  ({ columns }: TableFacts): Partial<TableFacts> => ({
    columns: new Map([...columns].filter(([other]) => other !== name)),
  });

/** A table with one index replaced by others. */
const withIndex =
  (name: string, ...others: readonly Partial<IndexFacts>[]) =>
  ({ indexes = [] }: TableFacts): Partial<TableFacts> => {
    const index = indexes.find((one) => one.name === name)!;
    return { indexes: [...indexes.filter((one) => one !== index), ...others.map((other) => ({ ...index, ...other }))] };
  };

const REVOKING = { ...DEFINITION, revocation: true, rotation: true };
const ENDLESS = { ...DEFINITION, sessionTtl: null };
const NUMBERED: SessionsTableDefinition = { ...DEFINITION, columns: { id: { type: 'bigint' } } };
const required = { nullable: false } as const;

describe('a check of a table', () => {
  it('finds nothing where it is as its definition says, or is not there', () => {
    expect(check({})).toEqual({ problems: [], warnings: [] });
    expect(check({ definition: { ...REVOKING, lastUse: true, ownLimits: true } }).problems).toEqual([]);
    const options = resolveOptions(DEFINITION, () => undefined);
    const facts = { server: SERVER, tables: new Map(), names: new Map(), unread: [] };
    expect(checkTable({ definition: DEFINITION, entity: Sessions, options }, facts)).toEqual({
      problems: [],
      warnings: [],
    });
  });

  it.each<[string, Case, string | undefined]>([
    [
      'a column that is missing',
      { table: withoutColumn('email') },
      inWords({
        code: 'columnMissing',
        text: messages.columnMissing('email'),
        statement: 'ALTER TABLE sessions ADD email',
      }),
    ],
    ['none for ends that are given', { table: withoutColumn('fixedEnd') }, undefined],
    ['one that nobody fills', { table: withColumn('tenant', required) }, messages.columnUnknown('tenant')],
    ['one with a default', { table: withColumn('tenant', { ...required, hasDefault: true }) }, undefined],
    [
      'one that MySQL fills',
      { table: withColumn('tenant', required), server: { product: 'mysql', sqlMode: [] } },
      undefined,
    ],
    [
      'one that takes no null',
      { definition: REVOKING, table: withColumn('revokedAt', required) },
      messages.columnNeedsNull('revokedAt'),
    ],
    ['an end that is always there', { table: withColumn('expiresAt', required) }, undefined],
    [
      'an end that may not be there',
      { definition: ENDLESS, table: withColumn('expiresAt', required) },
      messages.columnNeedsNull('expiresAt'),
    ],
    [
      'one that the database writes',
      { table: withColumn('email', { generated: 'expression' }) },
      messages.columnGenerated('email'),
    ],
    [
      'a key that the database writes, and the definition makes',
      { table: withColumn('id', { generated: 'always' }) },
      messages.columnGenerated('id'),
    ],
    [
      'a key of the database',
      { definition: NUMBERED, table: withColumn('id', { generated: 'always', nullable: false }) },
      undefined,
    ],
    ['a key that nothing makes', { definition: NUMBERED }, messages.keyNotMade('id')],
    ['what is no table', { table: () => ({ kind: 'materialized view' }) }, messages.notATable('materialized view')],
    ['a view of one table', { table: () => ({ kind: 'view', changeable: true }) }, undefined],
    ['a view of which nobody knows', { table: () => ({ kind: 'view' }) }, undefined],
    ['another view', { table: () => ({ kind: 'view', changeable: false }) }, messages.VIEW_UNCHANGEABLE],
    ['rules', { table: () => ({ rules: true }) }, messages.RULES],
    [
      'policies that refuse statements',
      { table: () => ({ rowSecurity: true, refusedByPolicies: ['INSERT', 'DELETE'] }) },
      messages.policiesMissing(['INSERT', 'DELETE']),
    ],
    [
      'digests cut short',
      { table: withColumn('authTokenDigest', { length: 63 }) },
      messages.columnTooShort('authTokenDigest', 63, 64),
    ],
    ['digests that just fit', { table: withColumn('authTokenDigest', { length: 64 }) }, undefined],
    [
      'digests of a key cut short',
      {
        definition: { ...DEFINITION, keys: [{ id: 'k1', secret: 'x'.repeat(32) }] },
        table: withColumn('authTokenDigest', { length: 64 }),
      },
      messages.columnTooShort('authTokenDigest', 64, 67),
    ],
    [
      'short text of SQLite',
      { table: withColumn('authTokenDigest', { length: 9 }), server: { product: 'sqlite' } },
      undefined,
    ],
    ['a field that is not unique', { table: withIndex('email', { unique: false }) }, 'CREATE INDEX email'],
    [
      'one that is unique with more',
      { table: withIndex('email', { columns: ['email', 'userId'] }) },
      messages.uniqueMissing(['email']),
    ],
    [
      'one that is unique where it counts',
      { table: withIndex('email', { predicate: '"revokedAt" IS NULL' }) },
      undefined,
    ],
    ['one that is unique as an expression', { table: withIndex('email', { columns: [null] }) }, undefined],
    ['indexes that could not be read', { table: () => ({ indexes: undefined }) }, undefined],
    [
      'a name that is refused',
      { server: { product: 'mysql', longestName: { characters: 7 } } },
      messages.nameTooLong(7),
    ],
    [
      'a name that is that of another one',
      { names: namesOf(['sessions_a', 'sess'], ['sessions_b', 'sess']) },
      messages.tableShared('Others'),
    ],
    [
      'quotes that the driver does not escape',
      { server: { product: 'mysql', sqlMode: ['TRADITIONAL', 'NO_BACKSLASH_ESCAPES'] } },
      messages.NO_BACKSLASH_ESCAPES,
    ],
    ['names that differ', { names: namesOf(['a', 'a'], ['b', 'b']) }, undefined],
    ['a name that is registered twice', { names: namesOf(['a', 'a'], ['a', 'a']) }, undefined],
  ])('judges %s', (_title, one, text) => {
    const problems = check(one).problems.map(inWords);
    expect(problems).toHaveLength(text === undefined ? 0 : 1);
    expect(problems.join()).toContain(text ?? '');
  });

  it.each<[string, Case, string | undefined]>([
    [
      'a column that a trigger may fill',
      { table: (table) => ({ ...withColumn('tenant', required)(table), triggers: ['t'] }) },
      messages.columnFilledByTrigger('tenant'),
    ],
    [
      'a key that a trigger may make',
      { definition: NUMBERED, table: () => ({ triggers: ['t'] }) },
      messages.keyMadeUnseen('id'),
    ],
    [
      'a key that the table of a view may make',
      { definition: NUMBERED, table: () => ({ kind: 'view' }) },
      messages.keyMadeUnseen('id'),
    ],
    [
      'a field that takes no null',
      {
        definition: { extraFields: { note: { type: 'text', nullable: true } } },
        table: withColumn('note', required),
      },
      messages.fieldTakesNull('note'),
    ],
    ['a field cut short', { table: withColumn('email', { length: 40 }) }, messages.fieldTooShort('email', 40, 255)],
    ['no index', { table: withIndex('expiresAt') }, 'CREATE INDEX expiresAt'],
    ['digests without an index', { table: withIndex('authTokenDigest') }, messages.indexMissing(['authTokenDigest'])],
    ['digests whose index is not unique', { table: withIndex('authTokenDigest', { unique: false }) }, undefined],
    ['an index with more columns', { table: withIndex('expiresAt', { columns: ['expiresAt', 'id'] }) }, undefined],
    [
      'an index that begins with another one',
      { table: withIndex('expiresAt', { columns: ['id', 'expiresAt'] }) },
      messages.indexMissing(['expiresAt']),
    ],
    [
      'an index of some rows',
      { table: withIndex('expiresAt', { predicate: 'id > 5' }) },
      messages.indexMissing(['expiresAt']),
    ],
    [
      'an index of what is not null',
      { table: withIndex('expiresAt', { predicate: '("expiresAt" IS NOT NULL)' }) },
      undefined,
    ],
    [
      'an index that was not built',
      { table: withIndex('expiresAt', {}, { name: 'half', valid: false }) },
      messages.indexInvalid('half'),
    ],
    [
      'owners without an index',
      { definition: { extraFields: { userId: { type: 'string' } }, sessionLimits: { userId: { max: 1 } } } },
      messages.ownerWithoutIndex('userId'),
    ],
    ['no table of marks', { marks: false }, messages.marksMissing('userId')],
    ['none where nothing is marked', { marks: false, definition: {} }, undefined],
    ['row-level security', { table: () => ({ rowSecurity: true }) }, messages.ROW_SECURITY],
    ['an engine without transactions', { table: () => ({ engine: 'myisam' }) }, messages.noTransactions('myisam')],
    ['another engine', { table: () => ({ engine: 'innodb' }) }, undefined],
    ['a name that is cut off', { server: { ...SERVER, longestName: { bytes: 7 } } }, messages.nameCutOff(7)],
  ])('warns of %s', (_title, one, text) => {
    const warnings = check(one).warnings.map(inWords);
    expect(warnings).toHaveLength(text === undefined ? 0 : 1);
    expect(warnings.join()).toContain(text ?? '');
  });
});

describe('statements that are kept prepared', () => {
  const warningsOf = (mostPrepared: number, prepared: PreparedFacts): readonly Finding[] =>
    check({ server: { product: 'mariadb', mostPrepared }, prepared }).warnings;

  it('are a warning where the server keeps fewer than the connections may hold', () => {
    const prepared = { perConnection: 24, connections: 10 };
    expect(warningsOf(240, prepared)).toEqual([]);
    expect(warningsOf(239, prepared)).toEqual([
      { code: 'preparedStatements', text: messages.tooManyPrepared(240, 239) },
    ]);
  });

  it('are counted for one connection where the pool has no limit', () => {
    expect(warningsOf(24, { perConnection: 24 })).toEqual([]);
    expect(warningsOf(0, { perConnection: 1 })).toHaveLength(1);
  });
});

describe('a check of a database', () => {
  it.each<[string, ServerFacts, readonly string[]]>([
    ['nothing', SERVER, []],
    ['a clock that is a little off', { ...SERVER, clockAheadMs: -900 }, []],
    ['a clock that is behind', { ...SERVER, clockAheadMs: -90_000 }, [messages.clockDiffers(-90_000)]],
    ['a clock that is ahead', { ...SERVER, clockAheadMs: 1001 }, [messages.clockDiffers(1001)]],
    ['a replica', { ...SERVER, readOnly: true }, [messages.READ_ONLY]],
    ['Galera', { product: 'mariadb', wsrep: true }, [messages.SEVERAL_WRITERS]],
    ['a mode that is not strict', { product: 'mysql', sqlMode: ['ANSI'] }, [messages.NOT_STRICT]],
    ['the mode of MariaDB', { product: 'mariadb', sqlMode: ['STRICT_TRANS_TABLES'] }, []],
    ['the level of PostgreSQL', { ...SERVER, isolation: 'read committed' }, []],
    [
      'a level that keeps its view',
      { ...SERVER, isolation: 'repeatable read' },
      [messages.isolation('repeatable read')],
    ],
    ['the level of MariaDB', { product: 'mariadb', isolation: 'repeatable read' }, []],
    ['serializable', { product: 'mariadb', isolation: 'serializable' }, [messages.isolation('serializable')]],
  ])('warns of %s', (_title, server, texts) => {
    expect(checkServer(server).map(({ text }) => text)).toEqual(texts);
  });
});
