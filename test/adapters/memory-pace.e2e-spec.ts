import { EntitySchema, Like } from 'typeorm';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Executed, MemoryAdapter, param } from '@app/sessions';

const Note = new EntitySchema<{ id: number; text: string; read: boolean; rank: number }>({
  name: 'Note',
  columns: {
    id: { type: 'int', primary: true },
    text: { type: 'text' },
    read: { type: 'boolean' },
    rank: { type: 'int' },
  },
});

/** So many that what looks at each of them takes far more than the milliseconds after which others have their turns. */
const NOTES = 100_000;

describe('Long statements in memory', () => {
  let adapter: MemoryAdapter;

  beforeAll(async () => {
    adapter = new MemoryAdapter();
    const notes = Array.from({ length: NOTES }, (_, id) => ({
      id,
      text: 'a'.repeat(250) + (id % 2 ? 'b' : 'c'),
      read: false,
      rank: (id * 7919) % NOTES,
    }));
    await adapter.insertAll(Note, notes);
  });

  const slow = { text: Like('%_a%_a%_a%_a_b') };

  /** What a statement gives, with something done in the first turn of the event loop that it leaves. */
  async function meanwhile(statement: Promise<Executed>, change: () => Promise<unknown>): Promise<Executed> {
    const changed = new Promise((resolve, reject) => setImmediate(() => void change().then(resolve, reject)));
    const ended = statement.then((executed) => ({ executed, last: 'statement' as const }));
    expect(await Promise.race([ended, changed.then(() => ({ last: 'change' }))])).toEqual({ last: 'change' });
    return (await ended).executed;
  }

  it('give the event loop its turns', async () => {
    const count = adapter.prepare('all', Note, { where: slow, count: true });
    expect((await meanwhile(adapter.execute(count), async () => {})).count).toBe(NOTES / 2);
  });

  it('give them while they sort, too', async () => {
    const query = adapter.prepare('all', Note, { order: { rank: 'DESC' }, select: ['rank'], take: 3 });
    const { rows } = await meanwhile(adapter.execute(query), async () => {});
    expect(rows).toEqual([{ rank: NOTES - 1 }, { rank: NOTES - 2 }, { rank: NOTES - 3 }]);
  });

  it('give them where a stream finds nothing for long', async () => {
    const nothing = adapter.prepare('all', Note, { where: { text: Like('%_a%_a%_a%_a_d') } });
    const collected = (async (): Promise<Executed> => {
      const rows = [];
      for await (const row of adapter.stream(nothing)) rows.push(row);
      return { count: rows.length, rows };
    })();
    expect((await meanwhile(collected, async () => {})).count).toBe(0);
  });

  it('leave alone what others changed or deleted meanwhile so that it is no longer meant', async () => {
    const last = NOTES - 1;
    const [changed, deleted, first] = [{ id: last }, { id: last - 2 }, { id: 1 }];
    const read = adapter.prepare('updateAll', Note, { where: { ...slow, read: false }, set: { read: true } });
    const updated = await meanwhile(adapter.execute(read), async () => {
      await adapter.update(Note, { text: 'other' }, changed);
      // It was found already.
      await adapter.update(Note, { text: 'other' }, first);
      await adapter.delete(Note, deleted);
    });
    expect(updated.count).toBe(NOTES / 2 - 3);
    const one = adapter.prepare('all', Note, { where: { id: param('id') }, select: ['read'] });
    expect((await adapter.execute(one, first)).rows).toEqual([{ read: false }]);
    expect((await adapter.execute(one, changed)).rows).toEqual([{ read: false }]);
    expect((await adapter.execute(one, deleted)).rows).toEqual([]);
    expect((await adapter.execute(one, { id: 3 })).rows).toEqual([{ read: true }]);
  });

  it('see nothing of what is inserted after they have begun', async () => {
    const all = adapter.prepare('all', Note, { where: { text: Like('%a_') }, count: true });
    const before = (await adapter.execute(all)).count;
    const counted = await meanwhile(adapter.execute(all), () =>
      adapter.insert(Note, { id: NOTES, text: 'aab', read: false, rank: 0 }),
    );
    expect(counted.count).toBe(before);
    expect((await adapter.execute(all)).count).toBe(before + 1);
  });
});
