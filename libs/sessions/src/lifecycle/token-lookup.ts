import { isOutage } from '../errors/outages.js';
import { In } from 'typeorm';
import type { MaybePromise } from '../util/maybe-promise.js';
import { Coalescer, largestWithin, sizeFor } from '../util/coalescer.js';
import { type Param, param } from '../adapters/port/operators.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { Prepared, RawRow, Row, Schema } from '../adapters/port/query.js';

/** What a lookup needs of its table. */
export interface LookupTable {
  readonly adapter: SessionsAdapter;
  readonly entity: Schema;
  /** The column of the digest. */
  readonly column: string;
  /** The columns that rows begin with. */
  readonly select: readonly string[];
  /** How many digests a token may be stored under. */
  readonly schemes: number;
}

/** The statement for so many tokens, and the names of the digests that it takes. */
interface Statement {
  readonly prepared: Prepared;
  readonly names: readonly string[];
}

/**
 * Lookups of rows by the digests of tokens. Those that come while some are under way travel together, as one statement;
 * one that comes alone waits for nothing.
 */
export class TokenLookup {
  readonly #statements = new Map<number, Statement>();
  readonly #coalescer: Coalescer<readonly string[], RawRow | undefined>;

  constructor(
    private readonly table: LookupTable,
    private readonly coalesces: boolean,
  ) {
    const { adapter, entity, schemes } = table;
    const { maxParameters = Infinity } = adapter.init([entity]);
    this.#coalescer = new Coalescer(
      (digests) => this.#readOne(digests, adapter),
      (tokens) => this.#read(tokens),
      isOutage,
      largestWithin(Math.floor(maxParameters / schemes)),
    );
  }

  /** The row that has one of the digests, the first of which is that of new rows; others may wait for the same one. */
  find(digests: readonly string[], adapter?: SessionsAdapter): MaybePromise<RawRow | undefined> {
    if (adapter || !this.coalesces) return this.#readOne(digests, adapter ?? this.table.adapter);
    return this.#coalescer.run(digests[0]!, digests);
  }

  #readOne(digests: readonly string[], adapter: SessionsAdapter): MaybePromise<RawRow | undefined> {
    const { prepared, names } = this.#statement(1);
    const rows = adapter.fetch(prepared, this.#params([digests], names), 1);
    return rows instanceof Promise ? rows.then(firstOf) : rows[0];
  }

  /** The rows of several tokens, in their order. */
  async #read(tokens: readonly (readonly string[])[]): Promise<(RawRow | undefined)[]> {
    const { adapter, column } = this.table;
    if (tokens.length === 1) return [await this.#readOne(tokens[0]!, adapter)];
    const { prepared, names } = this.#statement(sizeFor(tokens.length));
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

  /** As many as the statement has, also where there are fewer tokens, or one of the schemes has no digest for one. */
  #params(tokens: readonly (readonly string[])[], names: readonly string[]): Row {
    const { schemes } = this.table;
    const params: Row = {};
    for (let i = 0; i < names.length; i++) {
      const digests = tokens[Math.floor(i / schemes)] ?? tokens[0]!;
      params[names[i]!] = digests[i % schemes] ?? digests[0];
    }
    return params;
  }

  #statement(size: number): Statement {
    const { adapter, entity, column, select, schemes } = this.table;
    let statement = this.#statements.get(size);
    if (!statement) {
      const names = Array.from({ length: size * schemes }, (_, i) => `digest${i}`);
      const digests = names.map((name): Param => param(name));
      const one = digests.length === 1;
      const prepared = adapter.prepare('all', entity, {
        where: { [column]: one ? digests[0] : In(digests) },
        // Of several the last column tells which one a row has.
        select: one ? select : [...select, column],
        // Several are told apart here.
        collationEquality: !one,
        keepPrepared: true,
      });
      statement = { prepared, names };
      this.#statements.set(size, statement);
    }
    return statement;
  }
}

function firstOf(rows: readonly RawRow[]): RawRow | undefined {
  return rows[0];
}
