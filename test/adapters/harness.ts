import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { QueryOptions, EctoAdapter } from '@app/sessions';
import { Badge, Country, ENTITIES, Membership, Pair, Person, Photo, PHOTO_TAGS, Tag, Ticket } from './entities.js';

type Schema = Parameters<EctoAdapter['prepare']>[1];
type Row = Record<string, unknown>;
type Where = QueryOptions['where'];

/** What the suite needs of one adapter. */
export interface AdapterHarness {
  readonly adapter: EctoAdapter;
  close(): Promise<void>;
}

/** An adapter for the entities of the suite, with no rows. */
export type CreateHarness = () => Promise<AdapterHarness>;

/** The adapter under test, emptied before each test, with the few steps that most tests are made of. */
export class AdapterFixture {
  #harness!: AdapterHarness;

  constructor(createHarness: CreateHarness) {
    beforeAll(async () => {
      this.#harness = await createHarness();
      this.adapter.init(ENTITIES);
      await this.adapter.ensureStarted();
    });
    beforeEach(async () => {
      for (const schema of [PHOTO_TAGS, Photo, Person, Membership, Badge, Tag, Country, Pair, Ticket])
        await this.deleteAll(schema);
    });
    afterAll(() => this.#harness?.close());
  }

  get adapter(): EctoAdapter {
    return this.#harness.adapter;
  }

  /** Inserts a photo and returns its key. */
  async photo(row: Row = {}): Promise<number> {
    const inserted = await this.adapter.insert(Photo, { title: 'photo', ...row }, { returning: ['id'] });
    return inserted!['id'] as number;
  }

  /** Inserts a photo for each title. */
  async photos(...titles: readonly string[]): Promise<void> {
    await this.adapter.insertAll(
      Photo,
      titles.map((title) => ({ title })),
    );
  }

  /** Inserts a person and returns its key. */
  async person(row: Row = {}): Promise<string> {
    const id = uuidv7();
    await this.adapter.insert(Person, { id, email: `${id}@example.org`, ...row });
    return id;
  }

  /** Relates a photo to tags: the table between them goes by its own name. */
  async tag(photoId: number, ...names: readonly string[]): Promise<void> {
    await this.adapter.insertAll(
      PHOTO_TAGS,
      names.map((tagName) => ({ photoId, tagName })),
    );
  }

  async find(schema: Schema, options: QueryOptions = {}, params: Row = {}): Promise<Row[]> {
    const { rows } = await this.adapter.execute(this.adapter.prepare('all', schema, options), params);
    return rows!;
  }

  /** The titles of the photos that match, in the order of their keys. */
  async titles(where?: Where, params: Row = {}): Promise<unknown[]> {
    const rows = await this.find(Photo, { where, order: { id: 'ASC' } }, params);
    return rows.map((row) => row['title']);
  }

  async count(schema: Schema, where?: Where): Promise<number> {
    return (await this.adapter.execute(this.adapter.prepare('all', schema, { where, count: true }))).count;
  }

  async deleteAll(schema: Schema, where?: Where): Promise<number> {
    return (await this.adapter.execute(this.adapter.prepare('deleteAll', schema, { where }))).count;
  }
}

/** Every row of a stream. */
export async function collect(stream: AsyncIterable<Row>): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of stream) rows.push(row);
  return rows;
}

/** Texts in the order of their code points. */
export function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
