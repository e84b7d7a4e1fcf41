import type { QueryRunner } from 'typeorm';
import type { SqlTable } from './sql-table.js';
import type { Limits } from './time-limit.js';

/** A statement with its values, on the runner's connection or on one of the pool. */
export interface DriverStatement {
  readonly table: SqlTable;
  readonly text: string;
  /** What it is for, where whoever has prepared it says so; false for one that is not kept. */
  readonly call: string | boolean;
  readonly values: unknown[];
  /** The positions of those that no log shows. */
  readonly secrets: readonly number[];
  readonly runner: QueryRunner | undefined;
  /** Whether it changes nothing. */
  readonly reads: boolean;
  /** Whether it waits for what others have locked, where it cannot tell the database not to. */
  readonly waits: boolean;
  /** Whether it may share a transaction with others that come in its turn of the event loop, where that is of use. */
  readonly joins: boolean;
  /** How long it may take; on the runner's connection that is for whoever has that to say. */
  readonly limits: Limits;
  /** Whether nobody asks for more rows than the first. */
  readonly first: boolean;
}
