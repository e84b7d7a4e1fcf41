import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createHistogram, monitorEventLoopDelay, type RecordableHistogram } from 'node:perf_hooks';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { fillSessions, sessionsModules, sessionsTable, tableName, type UserTable } from './contenders/nest-sessions.js';
import type { Dataset, RowSql } from './dataset.js';
import { tokenOf } from './tokens.js';

const AT_ONCE = 16;
/** Until connections have touched the buffers that their lookups need. */
const WARM_UP_MS = 2000;
const SETTLING_MS = 10;
const DAY_S = 86_400;

/** What went on while a table was pruned. */
export interface Measured {
  readonly totalMs: number;
  /** The 99th percentile of the time of a lookup. */
  readonly lookUpMs: number;
  /** How long the event loop was held at the longest. */
  readonly holdMs: number;
}

/** A table half of whose rows have expired, and an application that looks up sessions of the other half. */
export class PrunedTable {
  private constructor(
    readonly dataset: Dataset,
    private readonly table: UserTable,
    private readonly app: INestApplicationContext,
  ) {}

  static async make(dataset: Dataset, name: string): Promise<PrunedTable> {
    const { database, rows } = dataset;
    const table = sessionsTable(name);
    await fillSessions(dataset, table, rows, (sql) => ({ expiresAt: endOf(sql, rows) }));
    // It is filled without waiting for the disk, and the first to wait would wait for all of it.
    await diskAtRest();
    const root = { module: class {}, imports: sessionsModules(database, table) };
    const app = await NestFactory.createApplicationContext(root, { logger: ['error'], abortOnError: false });
    return new PrunedTable(dataset, table, app);
  }

  get sessions(): InstanceType<UserTable> {
    return this.app.get<InstanceType<UserTable>>(this.table);
  }

  get dataSource(): DataSource {
    return this.app.get(DataSource);
  }

  /** The table's name in a statement. */
  get sqlName(): string {
    return this.dataSource.driver.escape(tableName(this.table));
  }

  /** Looks sessions up for as long as `fn` runs. */
  async measure(fn: () => Promise<unknown>): Promise<Measured> {
    await this.#lookUpsDuring(() => setTimeout(WARM_UP_MS));
    const delay = monitorEventLoopDelay({ resolution: 1 });
    let totalMs = 0;
    const times = await this.#lookUpsDuring(async () => {
      delay.enable();
      await setTimeout(SETTLING_MS);
      const begin = performance.now();
      await fn();
      totalMs = performance.now() - begin;
      // A delay is noted when it has ended, if another one has before.
      await setTimeout(SETTLING_MS);
      delay.disable();
    });
    return { totalMs, lookUpMs: times.percentile(99) / 1e6, holdMs: delay.max / 1e6 };
  }

  /** @throws Error unless exactly the rows are left that have not expired */
  async check(): Promise<void> {
    const [{ left, ended }] = (await this.dataSource.query(
      `SELECT COUNT(*) AS ${this.#escape('left')}, COUNT(CASE WHEN ${this.#escape('expiresAt')} <= ${this.#escape('createdAt')} THEN 1 END) AS ended FROM ${this.sqlName}`,
    )) as [{ left: string | number; ended: string | number }];
    const expected = this.dataset.rows - halfOf(this.dataset.rows);
    if (Number(left) !== expected || Number(ended) !== 0)
      throw new Error(`Pruning left ${left} rows, ${ended} of them expired, not ${expected}.`);
  }

  async drop(): Promise<void> {
    await this.dataSource.query(`DROP TABLE ${this.sqlName}`);
    await this.app.close();
  }

  /** The times that lookups took, in nanoseconds; an array of millions would hold the event loop as it grows. */
  async #lookUpsDuring(fn: () => Promise<unknown>): Promise<RecordableHistogram> {
    const { rows } = this.dataset;
    const { sessions } = this;
    const times = createHistogram();
    const done = new AbortController();
    const oneAfterTheOther = async (): Promise<void> => {
      while (!done.signal.aborted) {
        const row = randomInt(halfOf(rows), rows);
        const begin = performance.now();
        if (!(await sessions.authenticate(tokenOf(row)))) throw new Error(`Row ${row} was not found.`);
        times.record(Math.ceil((performance.now() - begin) * 1e6));
        // As between two requests: SQLite answers at once.
        await setImmediate();
      }
    };
    const all = Array.from({ length: AT_ONCE }, oneAfterTheOther);
    try {
      await Promise.race([fn(), Promise.all(all)]);
    } finally {
      done.abort();
    }
    await Promise.all(all);
    return times;
  }

  #escape(name: string): string {
    return this.dataSource.driver.escape(name);
  }
}

/** Sessions end about in the order in which they began, but for a day: a second after each other, and up to a day later. */
function endOf(sql: RowSql, rows: number): string {
  const half = halfOf(rows);
  const seconds = `n + (n % 10007) * 7919 % ${DAY_S}`;
  const hence = (s: number): Date => new Date(Date.now() + s * 1000);
  // None of the others is to be extended by being looked up, which is a write.
  const [expired, valid] = [hence(-half - DAY_S - 60), hence(8 * DAY_S)];
  return `CASE WHEN n < ${half} THEN ${sql.after(expired, seconds)} ELSE ${sql.after(valid, seconds)} END`;
}

function halfOf(rows: number): number {
  return Math.floor(rows / 2);
}

/** What other databases have left to be written would hold up whoever waits for the disk. */
async function diskAtRest(): Promise<void> {
  await promisify(execFile)('sync').catch(() => undefined);
}
