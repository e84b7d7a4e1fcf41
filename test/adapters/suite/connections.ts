import { describe, expect, it } from 'vitest';
import { ENTITIES, Person, Photo } from '../entities.js';
import type { AdapterFixture } from '../harness.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function connections(db: AdapterFixture): void {
  it('init names the tables and their columns', () => {
    const { namespace, tables } = db.adapter.init(ENTITIES);
    expect(namespace).not.toBe('');
    expect(tables.get(Photo)!.name).toBe('photos');
    expect([...tables.get(Person)!.columns.keys()]).toEqual(['id', 'email', 'name']);
    expect([...tables.get(Photo)!.relations]).toEqual(['owner', 'tags']);
  });

  it('ensureStarted resolves when all is up, however often it is asked', async () => {
    await expect(Promise.all([db.adapter.ensureStarted(), db.adapter.ensureStarted()])).resolves.toBeDefined();
  });

  it('checkout gives what its function gives, and everything works inside it', async () => {
    const rows = await db.adapter.checkout(async (adapter) => {
      await adapter.insert(Photo, { title: 'inside' });
      const query = adapter.prepare('all', Photo, { select: ['title'] });
      return (await adapter.execute(query)).rows;
    });
    expect(rows).toEqual([{ title: 'inside' }]);
    expect(await db.titles()).toEqual(['inside']);
  });

  it('checkout passes on the error of its function, and gives its connection back', async () => {
    const failure = new Error('failed inside');
    for (let i = 0; i < 20; i++) {
      await expect(db.adapter.checkout(() => Promise.reject(failure))).rejects.toBe(failure);
    }
    expect(await db.titles()).toEqual([]);
  });

  describe('exclusively', () => {
    it('runs one call at a time: the second one gets undefined at once, and does not run', async () => {
      let ran = false;
      const second = await db.adapter.exclusively('job', () =>
        db.adapter.exclusively('job', async () => {
          ran = true;
        }),
      );
      expect(second).toBeUndefined();
      expect(ran).toBe(false);
    });

    it('refuses a second call on the first one’s own connection too', async () => {
      const second = await db.adapter.exclusively('job', (adapter) => adapter.exclusively('job', async () => 'inside'));
      expect(second).toBeUndefined();
    });

    it('gives what its function gives, and is free again afterwards', async () => {
      expect(await db.adapter.exclusively('job', async () => 1)).toBe(1);
      expect(await db.adapter.exclusively('job', async () => 2)).toBe(2);
    });

    it('is free again after an error', async () => {
      const failure = new Error('failed inside');
      await expect(db.adapter.exclusively('job', () => Promise.reject(failure))).rejects.toBe(failure);
      expect(await db.adapter.exclusively('job', async () => 'free')).toBe('free');
    });

    it('holds nobody up under another name, however long', async () => {
      const other = 'other'.repeat(50);
      expect(await db.adapter.exclusively('job', () => db.adapter.exclusively(other, async () => 'ran'))).toBe('ran');
    });

    it('gives an adapter whose writes stay', async () => {
      await db.adapter.exclusively('job', (adapter) => adapter.insert(Photo, { title: 'inside' }));
      expect(await db.titles()).toEqual(['inside']);
    });
  });

  it('autogenerate makes UUIDs that differ, for embedded ids too', () => {
    const made = (['embedId', 'binaryId', 'binaryId'] as const).map((type) => db.adapter.autogenerate(type));
    for (const id of made) expect(id).toMatch(UUID);
    expect(new Set(made).size).toBe(3);
  });

  it('autogenerate makes integers that differ, or leaves them to the storage', () => {
    const first = db.adapter.autogenerate('id');
    if (first === null) return;
    expect(first).toBeTypeOf('number');
    expect(db.adapter.autogenerate('id')).not.toBe(first);
  });
}
