import { In } from 'typeorm';
import { type Param, param } from './adapters/operators.js';
import type { Prepared, Row, Schema, SessionsAdapter } from './adapters/sessions-adapter.js';

/** Tokens of one statement; a power of two, as the sizes of the prepared statements are. */
const LARGEST = 64;

/** How long a statement that is under way holds back the next one, in milliseconds: a connection may have died. */
const HOLD_MS = 50;

/** One token, and who asks for its session. */
interface Asked {
  readonly digests: readonly string[];
  readonly waiting: { resolve: (row: Row | undefined) => void; reject: (error: unknown) => void }[];
}

/** What a look-up needs of its table. */
export interface LookUpTable {
  readonly adapter: SessionsAdapter;
  readonly entity: Schema;
  /** The column of the digest. */
  readonly column: string;
  /** The columns to read. */
  readonly select: readonly string[];
  /** How many digests a token may be stored under. */
  readonly schemes: number;
}

/**
 * Look-ups of rows by the digests of tokens. Those that come while another is under way travel together, as one statement;
 * one that comes alone waits for nothing.
 */
export class TokenLookUps {
  readonly #prepared = new Map<number, Prepared>();
  /** Those that wait for the statement under way, in the order in which they came. */
  readonly #asked = new Map<string, Asked>();
  #underWay = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly table: LookUpTable,
    private readonly together: boolean,
  ) {}

  /** The row that has one of the digests, the first of which is that of new rows. */
  async find(digests: readonly string[], adapter?: SessionsAdapter): Promise<Row | undefined> {
    if (adapter || !this.together) return this.#readOne(digests, adapter ?? this.table.adapter);
    if (this.#underWay) return this.#wait(digests);
    this.#underWay = true;
    try {
      return await this.#readOne(digests, this.table.adapter);
    } finally {
      this.#next();
    }
  }

  #wait(digests: readonly string[]): Promise<Row | undefined> {
    // The statement under way may never end.
    this.#timer ??= setTimeout(() => this.#next(), HOLD_MS).unref();
    return new Promise((resolve, reject) => {
      const asked = this.#asked.get(digests[0]!) ?? { digests, waiting: [] };
      asked.waiting.push({ resolve, reject });
      this.#asked.set(digests[0]!, asked);
    });
  }

  /** Sends those that have waited, the first ones first. */
  #next(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = [...this.#asked.values()].slice(0, LARGEST);
    this.#underWay = batch.length > 0;
    for (const { digests } of batch) this.#asked.delete(digests[0]!);
    if (this.#asked.size > 0) this.#timer = setTimeout(() => this.#next(), HOLD_MS).unref();
    if (batch.length > 0) void this.#answer(batch);
  }

  async #answer(batch: readonly Asked[]): Promise<void> {
    try {
      const rows = await this.#read(batch.map(({ digests }) => digests));
      for (const { digests, waiting } of batch) {
        const row = rows.get(digests[0]!);
        // Each gets a row of its own, since whoever gets a session may change it.
        for (const [i, { resolve }] of waiting.entries()) resolve(i === 0 ? row : structuredClone(row));
      }
    } catch (error) {
      for (const { waiting } of batch) for (const { reject } of waiting) reject(error);
    } finally {
      this.#next();
    }
  }

  async #readOne(digests: readonly string[], adapter: SessionsAdapter): Promise<Row | undefined> {
    const { rows } = await adapter.execute(this.#statement(1), this.#params([digests], 1));
    return rows![0];
  }

  /** The rows by the first digest of each token. */
  async #read(tokens: readonly (readonly string[])[]): Promise<Map<string, Row>> {
    const size = 2 ** Math.ceil(Math.log2(tokens.length));
    const { rows } = await this.table.adapter.execute(this.#statement(size), this.#params(tokens, size));
    if (tokens.length === 1) return new Map(rows!.map((row) => [tokens[0]![0]!, row]));
    const byDigest = new Map(rows!.map((row) => [row[this.table.column], row]));
    const found = new Map<string, Row>();
    for (const digests of tokens) {
      const stored = digests.find((digest) => byDigest.has(digest));
      if (stored !== undefined) found.set(digests[0]!, byDigest.get(stored)!);
    }
    return found;
  }

  /** As many as the statement has, also where there are fewer tokens, or one of the schemes has no digest for one. */
  #params(tokens: readonly (readonly string[])[], size: number): Row {
    const { schemes } = this.table;
    const params: Row = {};
    for (let i = 0; i < size * schemes; i++) {
      const digests = tokens[Math.floor(i / schemes)] ?? tokens[0]!;
      params[`digest${i}`] = digests[i % schemes] ?? digests[0];
    }
    return params;
  }

  #statement(size: number): Prepared {
    const { adapter, entity, column, select, schemes } = this.table;
    let prepared = this.#prepared.get(size);
    if (!prepared) {
      const digests = Array.from({ length: size * schemes }, (_, i): Param => param(`digest${i}`));
      const one = digests.length === 1;
      prepared = adapter.prepare('all', entity, {
        where: { [column]: one ? digests[0] : In(digests) },
        // Of several it tells which one a row has.
        select: one ? select : [...select, column],
        often: true,
      });
      this.#prepared.set(size, prepared);
    }
    return prepared;
  }
}
