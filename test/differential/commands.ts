import {
  column as valueOfColumn,
  JsonPath,
  param,
  type Direction,
  type QueryOptions,
  type EctoAdapter,
} from '@app/sessions';
import fc from 'fast-check';
import {
  And,
  Between,
  Equal,
  In,
  IsNull,
  LessThan,
  LessThanOrEqual,
  Like,
  MoreThan,
  MoreThanOrEqual,
  Not,
  Or,
  type FindOperator,
} from 'typeorm';
import type { Kind, RandomColumn, RandomSchema } from './schemas.js';

type Row = Record<string, unknown>;

/** One step of a sequence: the same on every adapter. */
export interface Command {
  /** How it is shown when it fails. */
  readonly text: string;
  /** Whether the order of the rows in its answer means something. */
  readonly ordered: boolean;
  run(adapter: EctoAdapter): Promise<unknown>;
}

const TEXTS = [
  '', 'a', 'A', 'b', 'B', 'aa', 'a ', ' a', 'a_b', 'a%b', 'aXb', '%', '_', '\\', "'", '"', '\n', 'ä', 'Ä', 'a\u0308', 'ß', 'SS', 'ı', 'I',
  'é', 'e\u0301', '\u{1f600}', '\uffff', '\ue000', '\u{10ffff}', '日本', 'null', '0', '1',
] as const; // prettier-ignore

const UUIDS = [
  '019a0000-0000-7000-8000-000000000001',
  '019a0000-0000-7000-8000-000000000002',
  '019b0000-0000-7000-9000-0000000000ff',
  '019c0000-0000-7000-a000-00000000abcd',
];

/** Milliseconds at the edges of seconds, days, years, daylight saving time and of what every database can hold. */
const TIMES = [
  '1000-01-01T00:00:00.000Z', '1969-12-31T23:59:59.999Z', '1970-01-01T00:00:00.000Z', '1970-01-01T00:00:00.001Z', '2026-03-08T07:30:00.000Z',
  '2026-03-29T01:00:00.000Z', '2026-10-25T01:30:00.500Z', '2026-11-20T23:59:59.999Z', '2026-11-21T00:00:00.000Z', '9999-12-31T23:59:59.999Z',
]; // prettier-ignore

const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom(null, true, false, 0, 1, -1.5, 2 ** 31, '', 'a', 'A', '1', 'true', '\u{1f600}'),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'ä', '0'), tie('value'), { maxKeys: 2 }),
  ),
})).value;

const VALUES: Readonly<Record<Kind, fc.Arbitrary<unknown>>> = {
  string: fc.constantFrom(...TEXTS),
  text: fc.constantFrom(...TEXTS),
  uuid: fc.constantFrom(...UUIDS),
  int: fc.constantFrom(-(2 ** 31), -1, 0, 1, 2, 10, 2 ** 31 - 1),
  bigint: fc.constantFrom(
    '-9223372036854775808',
    '-1',
    '0',
    '2',
    '10',
    '9007199254740992',
    '9007199254740993',
    '9223372036854775807',
  ),
  number: fc.constantFrom(-1e300, -1.5, -0, 0, 0.1, 0.30000000000000004, 1, 10, 2 ** 53, 1e300),
  boolean: fc.boolean(),
  timestamp: fc.constantFrom(...TIMES).map((text) => new Date(text)),
  json: fc.dictionary(fc.constantFrom('a', 'b', 'ä', '0'), json, { maxKeys: 3 }),
  enum: fc.constantFrom('zulu', 'alpha', 'mike'),
};

const paths = fc.array(fc.constantFrom<string | number>('a', 'b', 'ä', '0', 0, 1), { minLength: 1, maxLength: 3 });

const scalars = fc.constantFrom<unknown>(
  null,
  true,
  false,
  0,
  1,
  -1.5,
  2 ** 31,
  '',
  'a',
  'A',
  '1',
  'true',
  '\u{1f600}',
);

/** What the port refuses, or takes for a value that no row has. */
const WRONG: readonly unknown[] = [
  'no-uuid',
  'x\0y',
  '\ud800',
  3.5,
  2 ** 40,
  true,
  new Date(NaN),
  'other',
  {},
  'x'.repeat(50),
  '12',
];

const KEYS: Readonly<Record<RandomSchema['keyKind'], fc.Arbitrary<unknown>>> = {
  uuid: fc.constantFrom(...UUIDS),
  int: fc.constantFrom(1, 2, 3, 10),
  string: fc.constantFrom('a', 'A', 'b', '\u{1f600}', '\uffff', ''),
};

/** A random sequence of commands on a schema. */
export function commandsOn(schema: RandomSchema): fc.Arbitrary<Command[]> {
  const row = fc.record(
    Object.fromEntries([
      ['id', KEYS[schema.keyKind]],
      ...schema.columns.map((column) => [column.name, valueOf(column)]),
    ]),
  ) as fc.Arbitrary<Row>;
  const inserts = fc.record({ row, onConflict: conflicts(schema) }).map(({ row: given, onConflict }): Command => ({
    text: `insert ${show(given)} ${show(onConflict)}`,
    ordered: true,
    run: (adapter) => adapter.insert(schema.entity, given, { onConflict, returning: ['id'] }),
  }));
  const bulk = fc
    .record({ rows: fc.array(row, { maxLength: 5 }), onConflict: conflicts(schema) })
    .map(({ rows, onConflict }): Command => ({
      text: `insertAll ${show(rows)} ${show(onConflict)}`,
      ordered: true,
      run: (adapter) => adapter.insertAll(schema.entity, rows, { onConflict }),
    }));
  const command = fc.oneof(
    { arbitrary: bulk, weight: 4 },
    { arbitrary: inserts, weight: 2 },
    { arbitrary: queries(schema), weight: 6 },
    { arbitrary: writes(schema), weight: 3 },
  );
  return fc.array(command, { minLength: 3, maxLength: 10 });
}

function conflicts({
  unique,
  columns,
}: RandomSchema): fc.Arbitrary<'raise' | 'nothing' | { update: string[]; target: string[] }> {
  const column = columns.find(({ name }) => !unique.includes(name));
  const update = column
    ? [fc.constant<{ update: string[]; target: string[] }>({ update: [column.name], target: ['id'] })]
    : [];
  return fc.oneof({ arbitrary: fc.constant('raise' as const), weight: 4 }, fc.constant('nothing' as const), ...update);
}

function queries(schema: RandomSchema): fc.Arbitrary<Command> {
  const sortable = schema.columns.filter(({ kind }) => kind !== 'json').map(({ name }) => name);
  const order = fc
    .array(fc.tuple(fc.constantFrom(...sortable, 'id'), fc.constantFrom<Direction>('ASC', 'DESC')), { maxLength: 2 })
    // The key decides between equal rows, so that there is only one right order.
    .map((terms) => ({
      ...Object.fromEntries(terms),
      ...(terms.some(([name]) => name === 'id') ? {} : { id: 'ASC' as const }),
    }));
  const page = fc.record({
    take: fc.option(fc.nat(4), { nil: undefined }),
    skip: fc.option(fc.nat(3), { nil: undefined }),
  });
  const select = fc.option(fc.subarray(['id', ...schema.columns.map(({ name }) => name)], { minLength: 1 }), {
    nil: undefined,
  });
  const sorted = fc
    .record({ where: wheres(schema), order, page, select })
    .map(({ where, order: by, page: cut, select: names }) => ({ where, order: by, ...cut, select: names }));
  const unsorted = fc.record({ where: wheres(schema) });
  const counted = fc.record({ where: wheres(schema), count: fc.constant(true) });
  const all = (options: QueryOptions): Command => ({
    text: `all ${show(options)}`,
    ordered: options.order !== undefined,
    run: (adapter) => adapter.execute(adapter.prepare('all', schema.entity, options)),
  });
  const streamed = (options: QueryOptions): Command => ({
    text: `stream ${show(options)}`,
    ordered: options.order !== undefined,
    run: async (adapter) => {
      const rows: Row[] = [];
      for await (const found of adapter.stream(adapter.prepare('all', schema.entity, options), {}, { maxRows: 2 }))
        rows.push(found);
      return { rows };
    },
  });
  const listed = (column: RandomColumn): fc.Arbitrary<Command> =>
    fc.record({ condition: listedBy(column), others: wheres(schema), list: listFor(column) }).map((given): Command => {
      const others = Array.isArray(given.others) ? (given.others[0] ?? {}) : given.others;
      const options = { where: { ...others, [column.name]: given.condition } };
      return {
        text: `all ${show(options)} ${show(given.list)}`,
        ordered: false,
        run: (adapter) => adapter.execute(adapter.prepare('all', schema.entity, options), { list: given.list }),
      };
    });
  return fc.oneof(
    sorted.map(all),
    unsorted.map(all),
    counted.map(all),
    sorted.map(streamed),
    unsorted.map(streamed),
    fc.constantFrom(...schema.columns).chain(listed),
  );
}

/** A condition with a list that is a parameter. */
function listedBy({ kind }: RandomColumn): fc.Arbitrary<unknown> {
  const list = fc.constantFrom<FindOperator<unknown>>(
    In(param('list')),
    Not(In(param('list'))),
    Or(In(param('list')), IsNull()),
  );
  if (kind !== 'json') return list;
  return fc.tuple(paths, list).map(([path, operator]) => JsonPath(path, operator));
}

function listFor({ kind }: RandomColumn): fc.Arbitrary<unknown[]> {
  const value = kind === 'json' ? scalars : VALUES[kind];
  const any = fc.oneof({ arbitrary: value, weight: 12 }, { arbitrary: fc.constantFrom(null, ...WRONG), weight: 1 });
  return fc.array(any, { maxLength: 8 });
}

function writes(schema: RandomSchema): fc.Arbitrary<Command> {
  const where = wheres(schema);
  const columns = schema.columns.filter(({ name }) => !schema.unique.includes(name));
  const assignment = fc
    .constantFrom(...(columns.length > 0 ? columns : schema.columns))
    .chain((column) => valueOf(column).map((value): Row => ({ [column.name]: value })));
  const set = fc.oneof(
    { arbitrary: assignment, weight: 2 },
    fc
      .tuple(copies(schema, columns), fc.option(assignment, { nil: {} }), fc.boolean())
      .map(([copy, other, first]) => (first ? { ...copy, ...other } : { ...other, ...copy })),
  );
  const returning = fc.constantFrom(
    undefined,
    ['id'],
    schema.columns.map(({ name }) => name),
  );
  return fc.oneof(
    fc.record({ where, set, returning }).map((options): Command => ({
      text: `updateAll ${show(options)}`,
      ordered: false,
      run: (adapter) => adapter.execute(adapter.prepare('updateAll', schema.entity, options)),
    })),
    fc.record({ where, returning }).map((options): Command => ({
      text: `deleteAll ${show(options)}`,
      ordered: false,
      run: (adapter) => adapter.execute(adapter.prepare('deleteAll', schema.entity, options)),
    })),
    fc.record({ where, take: fc.nat(2) }).map((options): Command => ({
      text: `deleteAll in order ${show(options)}`,
      ordered: false,
      run: (adapter) =>
        adapter.execute(adapter.prepare('deleteAll', schema.entity, { ...options, order: { id: 'DESC' } })),
    })),
    fc.record({ id: KEYS[schema.keyKind], set }).map(({ id, set: changes }): Command => ({
      text: `update ${show(id)} ${show(changes)}`,
      ordered: true,
      run: (adapter) => adapter.update(schema.entity, changes, { id }, ['id', ...Object.keys(changes)]),
    })),
    KEYS[schema.keyKind].map((id): Command => ({
      text: `delete ${show(id)}`,
      ordered: true,
      run: (adapter) => adapter.delete(schema.entity, { id }),
    })),
  );
}

/** Columns that take over another one's value: mostly one of their kind, which they can hold, or else as it is refused. */
function copies(schema: RandomSchema, targets: readonly RandomColumn[]): fc.Arbitrary<Row> {
  const sources: RandomColumn[] = [{ name: 'id', kind: schema.keyKind, nullable: false }, ...schema.columns];
  const kindOf = ({ kind }: RandomColumn): Kind => (kind === 'text' ? 'string' : kind);
  const pairs = (
    columns: readonly RandomColumn[],
    wanted: (target: RandomColumn, source: RandomColumn) => boolean,
  ): Row[] =>
    columns.flatMap((target) =>
      sources
        .filter((source) => wanted(target, source))
        .map((source): Row => ({ [target.name]: valueOfColumn(source.name) })),
    );
  const fitting = pairs(
    targets,
    (target, source) => target !== source && target.kind === source.kind && (target.nullable || !source.nullable),
  );
  const refused = pairs(schema.columns, (target, source) => target === source || kindOf(target) !== kindOf(source));
  return fc.oneof(
    ...(fitting.length > 0 ? [{ arbitrary: fc.constantFrom(...fitting), weight: 8 }] : []),
    fc.constantFrom(...refused),
  );
}

function valueOf({ kind, nullable }: RandomColumn): fc.Arbitrary<unknown> {
  const value = fc.oneof({ arbitrary: VALUES[kind], weight: 30 }, { arbitrary: fc.constantFrom(...WRONG), weight: 1 });
  return nullable ? fc.option(value, { freq: 3 }) : value;
}

function wheres(schema: RandomSchema): fc.Arbitrary<Row | Row[]> {
  const columns: RandomColumn[] = [{ name: 'id', kind: schema.keyKind, nullable: false }, ...schema.columns];
  const one = fc
    .subarray(columns, { maxLength: 3 })
    .chain((chosen) =>
      fc.record(Object.fromEntries(chosen.map((column) => [column.name, conditionOn(column)]))),
    ) as fc.Arbitrary<Row>;
  return fc.oneof({ arbitrary: one, weight: 4 }, fc.array(one, { maxLength: 3 }));
}

function conditionOn({ kind }: RandomColumn): fc.Arbitrary<unknown> {
  if (kind === 'json') return fc.oneof(fc.constantFrom(IsNull(), Not(IsNull()), null), jsonPaths());
  const value = fc.oneof({ arbitrary: VALUES[kind], weight: 12 }, { arbitrary: fc.constantFrom(...WRONG), weight: 1 });
  return fc.oneof(
    { arbitrary: value, weight: 3 },
    { arbitrary: fc.constant(null), weight: 1 },
    { arbitrary: operators(value, kind), weight: 6 },
  );
}

function operators(value: fc.Arbitrary<unknown>, kind: Kind): fc.Arbitrary<FindOperator<unknown>> {
  const patterns = fc.constantFrom(
    '%',
    '_',
    'a%',
    '%b',
    'a_b',
    String.raw`a\_b`,
    String.raw`a\%b`,
    '\\\\',
    '%ä%',
    '__',
    '',
    '\u{1f600}',
    String.raw`\a`,
  );
  return fc.letrec<{ operator: FindOperator<unknown> }>((tie) => ({
    operator: fc.oneof(
      { maxDepth: 2 },
      fc
        .tuple(fc.constantFrom(Equal, LessThan, LessThanOrEqual, MoreThan, MoreThanOrEqual, Not), value)
        .map(([make, given]) => make<unknown>(given)),
      fc.array(fc.option(value, { freq: 9 }), { maxLength: 6 }).map((values) => In(values) as FindOperator<unknown>),
      fc.tuple(value, value).map(([low, high]) => Between(low, high)),
      fc.constant(IsNull() as FindOperator<unknown>),
      kind === 'string' || kind === 'text'
        ? patterns.map((pattern) => Like<unknown>(pattern))
        : fc.constant(Not(IsNull()) as FindOperator<unknown>),
      tie('operator').map((operator) => Not(operator)),
      fc.tuple(tie('operator'), tie('operator')).map((pair) => And(...pair)),
      fc.tuple(tie('operator'), tie('operator')).map((pair) => Or(...pair)),
    ),
  })).operator;
}

function jsonPaths(): fc.Arbitrary<FindOperator<unknown>> {
  return fc.tuple(paths, fc.oneof(scalars, operators(scalars, 'string'))).map(([path, value]) => JsonPath(path, value));
}

function show(value: unknown): string {
  return fc.stringify(value);
}
