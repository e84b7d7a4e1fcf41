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
  #asked = new Map<string, Asked>();
  #held = false;

  constructor(
    private readonly table: LookUpTable,
    private readonly together: boolean,
  ) {}

  /** The row that has one of the digests, the first of which is that of new rows. */
  async find(digests: readonly string[], adapter?: SessionsAdapter): Promise<Row | undefined> {
    if (adapter || !this.together) return (await this.#read([digests], adapter ?? this.table.adapter)).get(digests[0]!);
    return new Promise((resolve, reject) => {
      const asked = this.#asked.get(digests[0]!) ?? { digests, waiting: [] };
      asked.waiting.push({ resolve, reject });
      this.#asked.set(digests[0]!, asked);
      if (!this.#held) this.#send();
    });
  }

  /** Sends those that are waiting, the first ones first; what comes meanwhile waits for the answer. */
  #send(): void {
    const batch = [...this.#asked.values()].slice(0, LARGEST);
    if (batch.length === 0) return;
    for (const { digests } of batch) this.#asked.delete(digests[0]!);
    this.#held = true;
    const release = (): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      this.#held = false;
      this.#send();
    };
    let over = false;
    const timer = setTimeout(release, HOLD_MS).unref();
    void this.#answer(batch).finally(release);
  }

  async #answer(batch: readonly Asked[]): Promise<void> {
    try {
      const rows = await this.#read(
        batch.map(({ digests }) => digests),
        this.table.adapter,
      );
      for (const { digests, waiting } of batch) {
        const row = rows.get(digests[0]!);
        // Each gets a row of its own, since whoever gets a session may change it.
        for (const [i, { resolve }] of waiting.entries()) resolve(i === 0 ? row : structuredClone(row));
      }
    } catch (error) {
      for (const { waiting } of batch) for (const { reject } of waiting) reject(error);
    }
  }

  /** The rows by the first digest of each token. */
  async #read(tokens: readonly (readonly string[])[], adapter: SessionsAdapter): Promise<Map<string, Row>> {
    const { column, schemes } = this.table;
    const size = 2 ** Math.ceil(Math.log2(tokens.length));
    const params: Row = {};
    // As many as the statement has, also where there are fewer tokens, or one of the schemes has no digest for one.
    for (let i = 0; i < size * schemes; i++) {
      const digests = tokens[Math.floor(i / schemes)] ?? tokens[0]!;
      params[`digest${i}`] = digests[i % schemes] ?? digests[0];
    }
    const { rows } = await adapter.execute(this.#statement(size), params);
    const byDigest = new Map(rows!.map((row) => [row[column], row]));
    const found = new Map<string, Row>();
    for (const digests of tokens) {
      const stored = digests.find((digest) => byDigest.has(digest));
      if (stored !== undefined) found.set(digests[0]!, byDigest.get(stored)!);
    }
    return found;
  }

  #statement(size: number): Prepared {
    const { adapter, entity, column, select, schemes } = this.table;
    let prepared = this.#prepared.get(size);
    if (!prepared) {
      const digests = Array.from({ length: size * schemes }, (_, i): Param => param(`digest${i}`));
      prepared = adapter.prepare('all', entity, {
        where: { [column]: digests.length === 1 ? digests[0] : In(digests) },
        select: [...select, column],
        often: true,
      });
      this.#prepared.set(size, prepared);
    }
    return prepared;
  }
}
