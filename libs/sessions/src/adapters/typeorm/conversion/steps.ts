import { setTimeout } from 'node:timers/promises';
import type { QueryRunner } from 'typeorm';
import { driverErrorOf, isLockTimeout } from '../driver-errors.js';
import { isMysqlLike } from '../mysql-itself.js';
import { retrying } from '../retry.js';
import type { ConversionSql, Run, Steps } from './conversion.js';

/** How long a statement waits for the lock of its table while other statements wait behind it, in seconds. */
const LOCK_SECONDS = 2;

/** The pause before it asks again, in milliseconds, in which those others run. */
const PAUSE_MS = 500;

/** How often it asks. */
const TRIES = 60;

/** PostgreSQL's error for a lock that was not released in time. */
const LOCK_NOT_AVAILABLE = '55P03';

/** The steps of a conversion, on the connection of a migration. @param batch the most rows of a statement */
export function stepsOn(
  queryRunner: QueryRunner,
  sql: ConversionSql,
  batch: number,
  onProgress: (rows: number) => void,
): Steps {
  const run: Run = async (text, values) => (await queryRunner.query(text, values && [...values])) ?? [];
  return {
    run,
    briefly: (...statements) => briefly(queryRunner, run, statements),
    inBatches: async ({ path, key, times }, condition, set) => {
      const first = sql.placeholder(1);
      const changes = [...set, ...sql.untouched(times)].join(', ');
      let rows = 0;
      for (let last: unknown; ;) {
        const after = last === undefined ? '' : ` AND ${key} > ${first}`;
        const select = `SELECT ${key} AS value FROM ${path} WHERE (${condition})${after} ORDER BY ${key} LIMIT ${batch}`;
        const start = performance.now();
        const keys = (await run<{ value: unknown }>(select, last === undefined ? [] : [last])).map(
          ({ value }) => value,
        );
        if (keys.length === 0) return;
        const list = keys.map((_, i) => sql.placeholder(i + 1)).join(', ');
        // Rows of these keys that are no longer in the condition have been converted by a trigger meanwhile.
        await retrying(() => run(`UPDATE ${path} SET ${changes} WHERE ${key} IN (${list}) AND (${condition})`, keys));
        last = keys.at(-1);
        rows += keys.length;
        onProgress(rows);
        if (sql.isExclusive) await setTimeout(performance.now() - start);
      }
    },
  };
}

/** Runs statements that need the lock of a table, with pauses in which the statements that wait behind them go first. */
async function briefly(queryRunner: QueryRunner, run: Run, statements: readonly string[]): Promise<void> {
  const limited = isMysqlLike(queryRunner.dataSource.driver) ? inMysql : inPostgres;
  for (let i = 1; ; i++) {
    try {
      return await limited(queryRunner, run, statements);
    } catch (error) {
      const isBusy = isLockTimeout(error) || driverErrorOf(error).code === LOCK_NOT_AVAILABLE;
      if (!isBusy || i === TRIES) throw error;
      await setTimeout(PAUSE_MS);
    }
  }
}

async function inPostgres(queryRunner: QueryRunner, run: Run, statements: readonly string[]): Promise<void> {
  await queryRunner.startTransaction();
  try {
    await run(`SET LOCAL lock_timeout = '${LOCK_SECONDS}s'`);
    for (const statement of statements) await run(statement);
    await queryRunner.commitTransaction();
  } catch (error) {
    await queryRunner.rollbackTransaction();
    throw error;
  }
}

async function inMysql(_queryRunner: QueryRunner, run: Run, statements: readonly string[]): Promise<void> {
  await run(`SET @nest_sessions_wait = @@SESSION.lock_wait_timeout, SESSION lock_wait_timeout = ${LOCK_SECONDS}`);
  try {
    for (const statement of statements) await run(statement);
  } finally {
    await run('SET SESSION lock_wait_timeout = @nest_sessions_wait');
  }
}
