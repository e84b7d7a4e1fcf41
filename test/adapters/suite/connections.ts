import { describe, expect, it } from 'vitest';
import type { EctoAdapter } from '@app/sessions';
import { ENTITIES, Person, Photo, Tag } from '../entities.js';
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

  describe('tryLock', () => {
    it('runs one call at a time: the second one gets undefined at once, and does not run', async () => {
      let ran = false;
      const second = await db.adapter.tryLock('job', () =>
        db.adapter.tryLock('job', async () => {
          ran = true;
        }),
      );
      expect(second).toBeUndefined();
      expect(ran).toBe(false);
    });

    it('refuses a second call on the first one’s own connection too', async () => {
      const second = await db.adapter.tryLock('job', (adapter) => adapter.tryLock('job', async () => 'inside'));
      expect(second).toBeUndefined();
    });

    it('gives what its function gives, and is free again afterwards', async () => {
      expect(await db.adapter.tryLock('job', async () => 1)).toBe(1);
      expect(await db.adapter.tryLock('job', async () => 2)).toBe(2);
    });

    it('is free again after an error', async () => {
      const failure = new Error('failed inside');
      await expect(db.adapter.tryLock('job', () => Promise.reject(failure))).rejects.toBe(failure);
      expect(await db.adapter.tryLock('job', async () => 'free')).toBe('free');
    });

    it('holds nobody up under another name, however long', async () => {
      const other = 'other'.repeat(50);
      expect(await db.adapter.tryLock('job', () => db.adapter.tryLock(other, async () => 'ran'))).toBe('ran');
    });

    it('gives an adapter whose writes stay', async () => {
      await db.adapter.tryLock('job', (adapter) => adapter.insert(Photo, { title: 'inside' }));
      expect(await db.titles()).toEqual(['inside']);
    });
  });

  describe('withLock', () => {
    const COUNTER = { name: 'counter' };
    const read = async (adapter: EctoAdapter): Promise<number> => {
      const query = adapter.prepare('all', Tag, { where: COUNTER, currentRows: true });
      return (await adapter.execute(query)).rows![0]!['weight'] as number;
    };
    const count = async (adapter: EctoAdapter): Promise<void> => {
      const weight = (await read(adapter)) + 1;
      await adapter.update(Tag, { weight }, COUNTER);
    };
    const parallel = <T>(calls: number, call: (i: number) => Promise<T>): Promise<T[]> =>
      Promise.all(Array.from({ length: calls }, (_, i) => call(i)));

    it('runs one call at a time: of parallel ones that read and then write, none overwrites another', async () => {
      await db.adapter.insert(Tag, { ...COUNTER, weight: 0 });
      await parallel(50, () => db.adapter.withLock('count', count));
      expect(await read(db.adapter)).toBe(50);
    });

    it('lets the calls of this process in as they came', async () => {
      const order: number[] = [];
      await parallel(20, (i) => db.adapter.withLock('order', async () => order.push(i)));
      expect(order).toEqual(Array.from({ length: 20 }, (_, i) => i));
    });

    it('gives what its function gives, and an adapter whose writes stay', async () => {
      const inside = db.adapter.withLock('job', async (adapter) => {
        await adapter.insert(Photo, { title: 'inside' });
        return 'ran';
      });
      expect(await inside).toBe('ran');
      expect(await db.titles()).toEqual(['inside']);
    });

    it('passes on the error of its function, and lets in those who wait', async () => {
      const failure = new Error('failed inside');
      const failing = parallel(5, () => expect(db.adapter.withLock('job', () => Promise.reject(failure))).rejects.toBe(failure)); // prettier-ignore
      const waiting = db.adapter.withLock('job', async () => 'ran');
      await failing;
      expect(await waiting).toBe('ran');
    });

    it('holds nobody up under another name', async () => {
      const other = 'other'.repeat(50);
      expect(await db.adapter.withLock('job', () => db.adapter.withLock(other, async () => 'ran'))).toBe('ran');
      expect(await db.adapter.withLock('job', () => db.adapter.tryLock('job', async () => 'ran'))).toBe('ran');
      expect(await db.adapter.tryLock('job', () => db.adapter.withLock('job', async () => 'ran'))).toBe('ran');
    });

    it('does not wait for itself: not on the adapter that it gave, nor on the one it was called on', async () => {
      const nested = (adapter: EctoAdapter): Promise<string> =>
        adapter.withLock('other', (one) => one.withLock('job', (two) => two.withLock('job', async () => 'ran')));
      expect(await db.adapter.withLock('job', nested)).toBe('ran');
      expect(await db.adapter.withLock('job', () => db.adapter.withLock('job', async () => 'ran'))).toBe('ran');
    });

    it('is over with its function: what that left running waits like any other', async () => {
      const order: string[] = [];
      let leave!: () => void;
      const left = new Promise<void>((resolve) => (leave = resolve));
      let late!: Promise<unknown>;
      await db.adapter.withLock('job', async () => {
        late = left.then(() => db.adapter.withLock('job', async () => order.push('late')));
      });
      await db.adapter.withLock('job', async (adapter) => {
        leave();
        await left;
        await adapter.withLock('other', async () => undefined);
        order.push('second');
      });
      await late;
      expect(order).toEqual(['second', 'late']);
    });

    it('is one call at a time on one connection too', async () => {
      await db.adapter.insert(Tag, { ...COUNTER, weight: 0 });
      await db.adapter.checkout((one) => parallel(10, () => one.withLock('count', count)));
      expect(await read(db.adapter)).toBe(10);
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
