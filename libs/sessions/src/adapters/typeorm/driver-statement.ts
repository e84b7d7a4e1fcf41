import type { QueryRunner } from 'typeorm';
import type { SqlTable } from './sql-table.js';
import type { Limits } from './time-limit.js';

/** A statement with its values, for the runner's connection or one of the pool. */
export interface DriverStatement {
  readonly table: SqlTable;
  readonly text: string;
  /** The purpose that the caller gave when preparing it; false if it is not kept. */
  readonly call: string | boolean;
  readonly values: unknown[];
  /** The positions of values that no log shows. */
  readonly secrets: readonly number[];
  readonly runner: QueryRunner | undefined;
  /** Whether it changes nothing. */
  readonly reads: boolean;
  /** Whether it waits for locks of others, if it cannot tell the database not to. */
  readonly waits: boolean;
  /** Whether it reads entities, which have the values that TypeORM gives them. */
  readonly entities: boolean;
  /** Whether it may share a transaction with others in the same turn of the event loop, if that helps. */
  readonly joins: boolean;
  /** Its limits. On a runner's connection, only its owner applies them. */
  readonly limits: Limits;
  /** The names of the values of a row, in order. */
  readonly names: readonly string[];
  /** Whether only the first row is needed. */
  readonly first: boolean;
}
