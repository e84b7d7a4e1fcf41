import { namedByKey } from '../query/sets.js';
import type { Executed, Row } from '../port/query.js';
import { givenValues } from '../query/given.js';
import type { SqlPrepared, Statement } from './compile-query.js';
import { asCompound } from './compound-statements.js';
import type { DriverResult } from './internals.js';
import { loadValues } from './raw-row.js';
import type { SingleStatements } from './single-statements.js';

/** The statements that update one row and read it afterwards. */
interface OneRow {
  readonly change: SqlPrepared;
  readonly read: SqlPrepared;
  /** Both as a transaction in one message, if the database has that. */
  readonly both: Statement | undefined;
}

const ONE_ROW = new WeakMap<SqlPrepared, OneRow | null>();

/** The statements of an update that is kept prepared, compiled once; `undefined` if no parameter names its one row. */
export function ofOneRow(
  statements: SingleStatements,
  query: SqlPrepared,
  returning?: readonly string[],
): OneRow | undefined {
  let one = ONE_ROW.get(query);
  if (one === undefined) ONE_ROW.set(query, (one = compileOneRow(statements, query, returning) ?? null));
  return one ?? undefined;
}

function compileOneRow(
  statements: SingleStatements,
  query: SqlPrepared,
  returning?: readonly string[],
): OneRow | undefined {
  const { kind, table, columns, options } = query;
  const { where, set, keepPrepared } = options;
  const named = kind === 'updateAll' && keepPrepared ? namedByKey(query) : undefined;
  if (!named) return undefined;
  const change = statements.compile(query, kind, { where, set, returning, keepPrepared });
  const read = statements.compile(query, 'all', {
    where: { [table.primary[0]!.property]: named.value },
    select: returning ?? columns!.map(({ property }) => property),
    keepPrepared,
  });
  return { change, read, both: bothOf(statements, change.statement, read.statement) };
}

function bothOf(
  { connection: { dialect } }: SingleStatements,
  change: Statement,
  read: Statement,
): Statement | undefined {
  if (!dialect.updateAndRead || change.isWrittenOut || read.isWrittenOut) return undefined;
  return {
    text: dialect.updateAndRead(change.text, read.text),
    slots: [...change.slots, ...read.slots],
    secrets: [...change.secrets, ...read.secrets.map((place) => change.slots.length + place)],
  };
}

/** Updates one row and returns it as it is then. Nobody else changes it before the end of the transaction. */
export async function updateOneAndRead(statements: SingleStatements, one: OneRow, params: Row): Promise<Executed> {
  return (await inOneMessage(statements, one, params)) ?? inTransaction(statements, one, params);
}

/** `undefined` if that takes several messages. */
async function inOneMessage(
  statements: SingleStatements,
  { change, read, both }: OneRow,
  params: Row,
): Promise<Executed | undefined> {
  const { dataSource, runner } = statements.connection;
  // On a given connection there may be a transaction, which the message would commit.
  if (!both || runner) return undefined;
  const { table, options } = change;
  const values = (): unknown[] => givenValues(table.name, both.slots, params);
  const { names } = read;
  const send = async (): Promise<DriverResult | undefined> =>
    statements.send(table, options.keepPrepared!, both, values, { names });
  const sent = await asCompound(dataSource, send);
  return sent && { count: sent.rows.length, rows: sent.rows.map((row) => loadValues(table, read.reads!, row)) };
}

async function inTransaction(statements: SingleStatements, { change, read }: OneRow, params: Row): Promise<Executed> {
  return statements.connection.inTransaction(async (connection) => {
    const inside = statements.on(connection);
    const { count } = await inside.execute(change, params);
    return count === 0 ? { count, rows: [] } : inside.execute(read, params);
  });
}
