import { isOutage } from '../errors/outages.js';
import { In } from 'typeorm';
import type { TableMeter } from '../metrics/table-metrics.js';
import type { Bulkhead } from '../util/bulkhead.js';
import type { MaybePromise } from '../util/maybe-promise.js';
import { Coalescer, largestWithin, sizeFor } from '../util/coalescer.js';
import { type Param, param } from '../adapters/port/operators.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import { namedRelations, type Prepared, type RawRow, type Row, type Schema } from '../adapters/port/query.js';

/** The part of a table that a lookup needs. */
export interface LookupTable {
  readonly adapter: SessionsAdapter;
  readonly entity: Schema;
  /** The column of the digest. */
  readonly column: string;
  /** The first columns of the rows. */
  readonly select: readonly string[];
  /** How many digests a token may be stored under. */
  readonly schemes: number;
  readonly meter: TableMeter;
}

/** How many tokens a statement has room for; or a list of any length, if the database binds that as one parameter. */
type Size = number | typeof LIST;

/** The statement for a number of tokens, and the names of its digest parameters or of its list. */
interface Statement {
  readonly prepared: Prepared;
  readonly names: readonly string[];
}

/** A token to look up. */
interface Wanted {
  readonly digests: readonly string[];
  readonly relations: readonly string[];
}

/**
 * Looks rows up by the digests of tokens. Lookups that arrive while others are under way share a statement; a lone one
 * never waits. If the rows are in another process, lookups go through the bulkhead of their table.
 */
export class TokenLookup {
  /** By the number of tokens or {@link LIST}; for one token with relations, by their names. */
  readonly #statements = new Map<number | string, Statement>();
  readonly #bindsLists: boolean;
  readonly #coalescer: Coalescer<readonly string[], RawRow | undefined>;
  /** Lookups with relations, which share nothing. */
  readonly #single: Coalescer<Wanted, RawRow | undefined>;
  readonly #isHere: boolean;

  /** @param coalesces whether lookups share statements */
  constructor(
    private readonly table: LookupTable,
    private readonly bulkhead: Bulkhead,
    coalesces: boolean,
  ) {
    const { adapter, entity, schemes } = table;
    const { maxParameters = Infinity, bindsLists = false, inProcess = false } = adapter.init([entity]);
    this.#isHere = inProcess;
    this.#bindsLists = bindsLists;
    const how = { concernsAll: isOutage, bulkhead };
    this.#coalescer = new Coalescer({
      ...how,
      sendOne: (digests) => this.#readOne(digests, adapter),
      send: coalesces ? (tokens) => this.#read(tokens) : undefined,
      largest: largestWithin(bindsLists ? Infinity : Math.floor(maxParameters / schemes)),
    });
    this.#single = new Coalescer({
      ...how,
      sendOne: ({ digests, relations }) => this.#readRelated(digests, relations, adapter),
    });
  }

  /**
   * Finds the row that has one of the digests, the first of which is that of new rows. Callers may share a result.
   *
   * @param inside the adapter in a transaction of the caller
   * @param relations the relations to load; such a lookup shares nothing
   * @throws SessionsUnavailableError
   */
  find(
    digests: readonly string[],
    inside?: SessionsAdapter,
    relations: readonly string[] = [],
  ): MaybePromise<RawRow | undefined> {
    const isRelated = relations.length > 0;
    if (inside || this.#isHere) {
      const adapter = inside ?? this.table.adapter;
      return isRelated ? this.#readRelated(digests, relations, adapter) : this.#readOne(digests, adapter);
    }
    const wanted = { digests, relations };
    if (isRelated) return this.#single.run(wanted, wanted);
    return this.#coalescer.run(digests[0]!, digests);
  }

  #readOne(digests: readonly string[], adapter: SessionsAdapter): MaybePromise<RawRow | undefined> {
    const { prepared, names } = this.#statement(1);
    const params = this.#params([digests], names);
    this.#count(1);
    const rows = adapter.fetch(prepared, params, 1);
    return rows instanceof Promise ? rows.then(firstOf) : rows[0];
  }

  async #readRelated(
    digests: readonly string[],
    relations: readonly string[],
    adapter: SessionsAdapter,
  ): Promise<RawRow | undefined> {
    this.#count(1);
    const { prepared, names } = this.#statement(1, relations);
    const { rows } = await adapter.execute(prepared, this.#params([digests], names));
    if (!rows![0]) return undefined;
    const { [this.table.column]: digest, ...row } = rows![0];
    return { load: () => ({ ...row }), value: (name) => (name === this.table.column ? digest : row[name]) };
  }

  /** The rows of several tokens, in their order. */
  async #read(tokens: readonly (readonly string[])[]): Promise<(RawRow | undefined)[]> {
    const { adapter, column } = this.table;
    this.#count(tokens.length);
    const { prepared, names } = this.#statement(this.#bindsLists ? LIST : sizeFor(tokens.length));
    const rows = await adapter.fetch(prepared, this.#params(tokens, names));
    const byDigest = new Map<unknown, RawRow>();
    for (const row of rows) byDigest.set(row.value(column), row);
    return tokens.map((digests) => {
      for (const digest of digests) {
        const row = byDigest.get(digest);
        if (row) return row;
      }
      return undefined;
    });
  }

  /** Fills every parameter, even if there are fewer tokens, or a scheme has no digest for one. */
  #params(tokens: readonly (readonly string[])[], names: readonly string[]): Row {
    const { schemes } = this.table;
    if (names[0] === LIST) {
      const list: string[] = [];
      // `flat` takes longer than all the rest.
      for (const digests of tokens) list.push(...digests);
      return { [LIST]: list };
    }
    const params: Row = {};
    for (let i = 0; i < names.length; i++) {
      const digests = tokens[Math.floor(i / schemes)] ?? tokens[0]!;
      params[names[i]!] = digests[i % schemes] ?? digests[0];
    }
    return params;
  }

  #count(tokens: number): void {
    const { lookUpStatements, lookUpTokens } = this.table.meter.counters;
    lookUpStatements.add();
    lookUpTokens.add(tokens);
  }

  #statement(size: Size, relations?: readonly string[]): Statement {
    const key = relations?.join(' ') ?? size;
    let statement = this.#statements.get(key);
    if (!statement) this.#statements.set(key, (statement = this.#prepare(size, relations)));
    return statement;
  }

  #prepare(size: Size, relations?: readonly string[]): Statement {
    const { adapter, entity, column, select, schemes } = this.table;
    const names = size === LIST ? [LIST] : Array.from({ length: size * schemes }, (_, i) => `digest${i}`);
    const digests = names.map((name): Param => param(name));
    const one = size === 1 && schemes === 1;
    const prepared = adapter.prepare('all', entity, {
      where: { [column]: one ? digests[0] : size === LIST ? In(param(LIST)) : In(digests) },
      // With several digests, the last column tells which one a row has.
      select: one ? select : [...select, column],
      relations: relations && namedRelations(relations),
      // Several rows are told apart here.
      collationEquality: !one,
      keepPrepared: 'authenticate',
      ...(!this.#isHere && { timeoutMs: this.bulkhead.timeoutMs }),
    });
    return { prepared, names };
  }
}

/** The name of a parameter with a list of digests. */
const LIST = 'digests';

function firstOf(rows: readonly RawRow[]): RawRow | undefined {
  return rows[0];
}
