import type { DataSource } from 'typeorm';
import { privateField } from '../../util/private-field.js';
import {
  type DriverResult,
  type PgConnection,
  type PgParse,
  type PgProtocol,
  type PgQuery,
  pgValue,
} from './internals.js';
import { parserOf } from './pg-times.js';

/** By the names of kept statements, the parsers of their columns. */
type Described = Map<string, readonly PgParse[]>;

/** What each connection has described so far. */
const DESCRIBED = privateField<Described>();

/** All rows at once. */
const ALL = { portal: '', rows: 0 };

/** How to send a statement: as one of this library, if the connection takes those. */
export function queryFor(dataSource: DataSource, client: PgConnection, statement: Omit<PgQuery, 'rowMode'>): PgQuery {
  const valueOf = pgValue(dataSource);
  // A pipeline takes only statements of `pg`, and drivers that look like `pg` have other connections, or none.
  const isTaken = valueOf !== undefined && !client.pipeline && client.connection?.parsedStatements !== undefined;
  return isTaken ? new PgStatement(statement, client, valueOf) : { ...statement, rowMode: 'array' };
}

/**
 * A statement for `pg`. Once a connection has described the columns of a kept statement, it is not asked again, as `pg`
 * asks it each time: the server refuses a kept statement whose columns have changed.
 *
 * @see https://node-postgres.com/apis/client, on queries with a `submit` method
 * @see https://www.postgresql.org/docs/current/protocol-flow.html, "Extended Query"
 */
class PgStatement implements PgQuery {
  readonly rowMode = 'array';
  readonly name: string | undefined;
  readonly text: string;
  readonly values: readonly unknown[];
  /** Set by `pg`, which may replace it. */
  callback: ((error: Error | null, result?: DriverResult) => void) | undefined;
  readonly #client: PgConnection;
  readonly #valueOf: (value: unknown) => unknown;
  readonly #rows: unknown[][] = [];
  #rowCount: number | null = null;
  #isDescribed = false;
  #parsers: readonly PgParse[] = [];
  #failure: Error | undefined;

  /** @param valueOf gives a value the form in which it is sent */
  constructor(
    { name, text, values }: Omit<PgQuery, 'rowMode'>,
    client: PgConnection,
    valueOf: (value: unknown) => unknown,
  ) {
    this.name = name;
    this.text = text;
    this.values = values;
    this.#client = client;
    this.#valueOf = valueOf;
  }

  /** Returns an error if nothing could be sent. */
  submit(connection: PgProtocol): Error | null {
    let values: unknown[];
    try {
      values = this.values.map((value) => this.#valueOf(value));
    } catch (error) {
      return error as Error;
    }
    connection.stream.cork();
    try {
      const parsers = this.#prepare(connection);
      connection.bind({ statement: this.name, values });
      if (parsers) {
        this.#parsers = parsers;
        this.#isDescribed = true;
      } else connection.describe({ type: 'P' });
      connection.execute(ALL);
      connection.sync();
    } finally {
      connection.stream.uncork();
    }
    return null;
  }

  handleRowDescription({ fields }: { readonly fields: readonly { readonly dataTypeID: number }[] }): void {
    this.#parsers = fields.map(({ dataTypeID }) => parserOf(this.#client, dataTypeID));
  }

  /** @param message of this statement alone, whose texts become the values of the row */
  handleDataRow({ fields }: { readonly fields: unknown[] }): void {
    if (this.#failure) return;
    const parsers = this.#parsers;
    try {
      for (let i = 0; i < fields.length; i++) if (fields[i] !== null) fields[i] = parsers[i]!(fields[i] as string);
      this.#rows.push(fields);
    } catch (error) {
      this.#failure = error as Error;
    }
  }

  /** @param message such as `INSERT 0 1` */
  handleCommandComplete({ text }: { readonly text: string }, connection: PgProtocol): void {
    const count = Number(text.slice(text.lastIndexOf(' ') + 1));
    if (!Number.isNaN(count)) this.#rowCount = count;
    if (this.name === undefined || this.#isDescribed) return;
    const described: Described = DESCRIBED.get(connection) ?? new Map();
    DESCRIBED.set(connection, described.set(this.name, this.#parsers));
  }

  handleReadyForQuery(): void {
    if (this.#failure) this.callback!(this.#failure);
    else this.callback!(null, { rows: this.#rows, rowCount: this.#rowCount });
  }

  handleError(error: Error): void {
    this.callback!(this.#failure ?? error);
  }

  /** Has the server parse it, unless it keeps it already. Returns the parsers of its columns, if they are known. */
  #prepare(connection: PgProtocol): readonly PgParse[] | undefined {
    const { name, text } = this;
    if (name === undefined || connection.parsedStatements[name] === undefined) connection.parse({ name, text });
    return name === undefined ? undefined : DESCRIBED.get(connection)?.get(name);
  }
}
