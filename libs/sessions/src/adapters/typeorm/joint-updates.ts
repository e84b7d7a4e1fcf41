import { SessionsUnavailableError } from '../../errors/errors.js';
import { isOutage, outageOf } from '../../errors/outages.js';
import { Coalescer } from '../../util/coalescer.js';
import { TransientMap } from '../../util/transient-map.js';
import { JsonKeys } from '../port/operators.js';
import type { Executed, Row } from '../port/query.js';
import { joinableBy, type KeyCondition } from '../query/sets.js';
import { IMPOSSIBLE, toStored, ValueError } from '../query/values.js';
import { isList } from './by-row.js';
import type { SqlPrepared } from './compile-query.js';
import { execute } from './emulated-statements.js';
import { JointStatements } from './joint-statements.js';
import { loadValues } from './raw-row.js';
import type { SingleStatements } from './single-statements.js';
import type { SqlColumn, SqlTable } from './sql-table.js';

/** The result of each of several updates; `undefined` for one that must go alone. */
type Outcomes = readonly (Executed | undefined)[];

/** An update of a row. */
interface Turn {
  ended?: Promise<Executed>;
}

/** The last running update of each row. */
const LAST = new WeakMap<SqlTable, TransientMap<unknown, Turn>>();

const JOINT = new WeakMap<SqlPrepared, JointUpdates | null>();

/**
 * Updates of single rows by the same query that share statements. Updates that arrive while others are under way go as
 * one statement; a lone one never waits. The shared statement waits for no locks: a row that it has not written goes
 * alone, and so does each row of a failed statement, so that each update has its own result. Updates of the same row
 * wait for each other.
 */
export class JointUpdates {
  readonly #coalescer: Coalescer<Row, Executed | undefined>;
  readonly #last: TransientMap<unknown, Turn>;
  readonly #joint: JointStatements;

  private constructor(
    private readonly statements: SingleStatements,
    private readonly query: SqlPrepared,
    private readonly named: KeyCondition<SqlColumn>,
  ) {
    const { table } = query;
    this.#joint = new JointStatements(statements, query, named);
    this.#last = LAST.get(table) ?? new TransientMap<unknown, Turn>();
    LAST.set(table, this.#last);
    this.#coalescer = new Coalescer<Row, Executed | undefined>({
      sendOne: (params) => this.#alone(params),
      send: (updates) => this.#together(updates),
      concernsAll: isOutage,
      ...this.#joint.travel,
    });
  }

  /** `undefined` if each goes alone: no statement reports which rows it wrote, or the application makes a value. */
  static of(statements: SingleStatements, query: SqlPrepared): JointUpdates | undefined {
    let joint = JOINT.get(query);
    if (joint === undefined) {
      const named = mayJoin(statements, query) ? joinableBy(query) : undefined;
      JOINT.set(query, (joint = named ? new JointUpdates(statements, query, named) : null));
    }
    return joint ?? undefined;
  }

  run(params: Row): Promise<Executed> {
    const key = this.#keyOf(params);
    if (key === undefined) return this.#alone(params);
    const turn: Turn = {};
    turn.ended = this.#after(this.#last.get(key)?.ended, key, turn, params);
    return turn.ended;
  }

  async #after(before: Promise<unknown> | undefined, key: unknown, turn: Turn, params: Row): Promise<Executed> {
    this.#last.set(key, turn);
    try {
      if (before) await before.catch(() => undefined);
      return (await this.#coalescer.run(params, params)) ?? (await this.#alone(params));
    } finally {
      if (this.#last.get(key) === turn) this.#last.delete(key);
    }
  }

  async #alone(params: Row): Promise<Executed> {
    return execute(this.statements, this.query, params);
  }

  async #together(updates: readonly Row[]): Promise<Outcomes> {
    try {
      return await this.#update(updates);
    } catch (error) {
      if (wouldFailEach(error)) throw error;
      return updates.map(() => undefined);
    }
  }

  /** The results of updates whose rows match and are not locked by others. */
  async #update(updates: readonly Row[]): Promise<Outcomes> {
    const { table, columns } = this.query;
    const outcomes = updates.map((): Executed | undefined => undefined);
    for (const row of await this.#joint.send(updates)) {
      outcomes[Number(row.at(-1))] = { count: 1, rows: columns ? [loadValues(table, columns, row)] : null };
    }
    return outcomes;
  }

  /** `undefined` if it names no row. */
  #keyOf(params: Row): unknown {
    const { subject, value } = this.named;
    try {
      const key = toStored(subject.column, params[value.name]);
      return key === IMPOSSIBLE ? undefined : key;
    } catch (error) {
      if (error instanceof ValueError) return undefined;
      throw error;
    }
  }
}

function mayJoin(
  { connection: { dialect }, prepared }: SingleStatements,
  { table, options, joins }: SqlPrepared,
): boolean {
  if (!options.keepPrepared || table.rewrites || joins.length > 0 || !dialect.jointUpdate) return false;
  // TypeORM does not read the rows of compound statements.
  if (!dialect.bindsColumns && !prepared) return false;
  const set = Object.entries(options.set ?? {});
  if (set.some(([name, value]) => value instanceof JsonKeys || mayWaitFor(table, name))) return false;
  // Transformers need each caller's asynchronous context, and PostgreSQL cannot nest lists.
  return [...table.columns.values()].every((column) => !column.transformer && !isList(table, column));
}

/** Whether a new value may have to wait for another, locked row: it is unique but no token, or a foreign key. */
function mayWaitFor({ columns, metadata, uniques }: SqlTable, name: string): boolean {
  const column = columns.get(name);
  if (!column || column.hidden) return false;
  return (
    uniques.some((unique) => unique.includes(column)) ||
    Boolean(metadata.findColumnWithPropertyPath(name)?.referencedColumn)
  );
}

/** Whether each would fail alone as all did together. */
function wouldFailEach(error: unknown): boolean {
  if (!(error instanceof SessionsUnavailableError)) return isOutage(error);
  const outage = outageOf(error.cause);
  return outage !== undefined && outage !== 'locked';
}
