import { In, MoreThan, Not } from 'typeorm';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  MultipleSessionsError,
  param,
  SessionQuery,
  SessionValidationError,
  UnsupportedQueryError,
} from '@app/sessions';
import { typeOrmNeeded } from '../../libs/sessions/src/service/messages.js';
import { describeDatabases } from '../support/databases.js';
import { describeStorages, useApplication } from '../support/application.js';
import { DAY, SECOND } from '../support/clock.js';
import { createFor, errorOf, Sessions, usersOf } from '../support/sessions.js';

describeStorages('query', (name) => {
  const app = useApplication(name, { tables: [Sessions] });
  let sessions: Sessions;
  beforeAll(() => {
    sessions = app.get(Sessions);
  });

  const users = async (query: { all(): Promise<{ userId: string }[]> }): Promise<string[]> =>
    usersOf(await query.all());

  it('narrows step by step, newest first (PARITY 1.2)', async () => {
    await createFor(sessions, app.clock, 'a', 'b', 'a', 'c');
    const query = sessions.query({ userId: In(['a', 'b']) }).filter({ createdAt: MoreThan(new Date(0)) });
    expect(query).toBeInstanceOf(SessionQuery);
    expect(await users(query)).toEqual(['a', 'b', 'a']);
    expect(await users(query.filter({ userId: 'b' }))).toEqual(['b']);
    expect(await users(query.filterBy('userId', Not('b')))).toEqual(['a', 'a']);
    expect(await users(query.filter({ userId: 'c' }))).toEqual([]);
  });

  it('is never changed by a step that is built on it', async () => {
    await createFor(sessions, app.clock, 'a', 'b');
    const query = sessions.query();
    query.filter({ userId: 'a' });
    query.filterBy('userId', 'a');
    query.take(1).skip(1).order({ userId: 'ASC' }).relations([]);
    expect(await users(query)).toEqual(['b', 'a']);
  });

  it('gives the same result each time it is run, as of that time', async () => {
    const query = sessions.query({ userId: 'a' });
    expect(await query.count()).toBe(0);
    await sessions.create({ userId: 'a' });
    expect(await query.count()).toBe(1);
    app.clock.advance(7 * DAY);
    expect(await query.count()).toBe(0);
  });

  it('narrows by one field at a time (PARITY 1.2)', async () => {
    await createFor(sessions, app.clock, 'a', 'b');
    expect(await users(sessions.query().filterBy('userId', 'a').filterBy('note', null))).toEqual(['a']);
  });

  describe('with a status', () => {
    it('is about valid sessions unless a step names one (PARITY 1.2)', async () => {
      await sessions.create({ userId: 'valid' });
      await sessions.expire(await sessions.create({ userId: 'ended' }));
      expect(await users(sessions.query())).toEqual(['valid']);
      expect(await users(sessions.query().filter({ status: 'expired' }))).toEqual(['ended']);
      expect(await users(sessions.query().filterBy('status', 'all').order({ userId: 'ASC' }))).toEqual([
        'ended',
        'valid',
      ]);
    });

    it('lets the last one win, before and after other steps', async () => {
      await sessions.create({ userId: 'valid' });
      await sessions.expire(await sessions.create({ userId: 'ended' }));
      const expired = sessions.query({ status: 'all' }).filter({ status: 'expired' });
      expect(await users(expired)).toEqual(['ended']);
      expect(await users(expired.filter({ userId: In(['valid', 'ended']) }))).toEqual(['ended']);
      expect(await users(expired.filter({ status: 'valid' }))).toEqual(['valid']);
    });

    it('keeps the status of several sets through further steps', async () => {
      await sessions.create({ userId: 'valid' });
      await sessions.expire(await sessions.create({ userId: 'ended' }));
      const both = [{ userId: 'valid' }, { userId: 'ended', status: 'expired' }] as const;
      expect(await sessions.query(both).filter({ visits: 0 }).count()).toBe(2);
      expect(await sessions.query().filter(both).filterBy('userId', 'ended').count()).toBe(1);
      expect(await sessions.query(both).filter({ status: 'valid' }).count()).toBe(1);
    });
  });

  it('refuses a parameter, which nobody gives', async () => {
    for (const ids of [param('ids'), In(param('ids')), In([param('ids'), 'a'])]) {
      const query = sessions.query({ id: ids as never });
      await expect(query.all()).rejects.toThrow(SessionValidationError);
      await expect(query.delete()).rejects.toThrow(SessionValidationError);
    }
  });

  it('refuses undefined, an unknown field and what is no object, when it is run', async () => {
    for (const step of [{ userId: undefined }, { wrong: 1 }, null, 'text', [undefined], In(['a'])]) {
      await expect(
        sessions
          .query()
          .filter(step as never)
          .all(),
      ).rejects.toThrow(SessionValidationError);
    }
    await expect(sessions.query().filterBy('userId', undefined).delete()).rejects.toThrow(SessionValidationError);
    await expect(
      sessions
        .query()
        .order({ wrong: 'ASC' } as never)
        .all(),
    ).rejects.toThrow(SessionValidationError);
  });

  describe('one', () => {
    it('gives the session, or null', async () => {
      await createFor(sessions, app.clock, 'a', 'b');
      expect(await sessions.query({ userId: 'a' }).one()).toMatchObject({ userId: 'a' });
      expect(await sessions.query({ userId: 'c' }).one()).toBeNull();
    });

    it('fails where several match, unless only one is taken', async () => {
      await createFor(sessions, app.clock, 'a', 'b');
      await expect(sessions.query().one()).rejects.toThrow(MultipleSessionsError);
      expect(await sessions.query().take(1).one()).toMatchObject({ userId: 'b' });
      expect(await sessions.query().order({ createdAt: 'ASC' }).take(1).one()).toMatchObject({ userId: 'a' });
    });

    it('extends nothing', async () => {
      const session = await sessions.create({ userId: 'a' });
      app.clock.advance(2 * DAY);
      expect(await sessions.query().one()).toEqual(session);
    });
  });

  describe('delete (PARITY 1.2: delete_query)', () => {
    it('deletes what matches and tells how many', async () => {
      await createFor(sessions, app.clock, 'a', 'b', 'a');
      expect(await sessions.query({ userId: 'a' }).delete()).toBe(2);
      expect(usersOf(await sessions.list())).toEqual(['b']);
      expect(await sessions.query({ userId: 'a' }).delete()).toBe(0);
    });

    it('deletes no more than it takes, in its order', async () => {
      await createFor(sessions, app.clock, 'a', 'b', 'c');
      expect(await sessions.query().order({ createdAt: 'ASC' }).take(2).delete()).toBe(2);
      expect(usersOf(await sessions.list())).toEqual(['c']);
    });

    it('takes no skip, and says so', async () => {
      await createFor(sessions, app.clock, 'a');
      expect(await errorOf(sessions.query().skip(1).delete())).toBeInstanceOf(UnsupportedQueryError);
      expect(await sessions.count()).toBe(1);
    });
  });

  describe('stream', () => {
    const SIZE = 25;
    const fill = async (): Promise<string[]> => {
      const ids: string[] = [];
      for (let i = 0; i < SIZE; i++) ids.push((await sessions.create({ userId: `u${i % 5}`, visits: i })).id);
      return ids;
    };
    const visited = async (
      stream: AsyncIterable<{ id: string; visits: number }>,
      meanwhile: (index: number) => Promise<unknown> = async () => undefined,
    ): Promise<number[]> => {
      const visits: number[] = [];
      for await (const session of stream) {
        visits.push(session.visits);
        await meanwhile(visits.length);
      }
      return visits;
    };
    const numbers = Array.from({ length: SIZE }, (_, i) => i);

    it.each([1, 7, 24, 25, 26, 500])('gives every session once, oldest first, in chunks of %i', async (maxRows) => {
      await fill();
      expect(await visited(sessions.query().stream({ maxRows }))).toEqual(numbers);
    });

    it('gives sessions as list does', async () => {
      const [id] = await fill();
      for await (const session of sessions.query({ id }).stream()) expect(session).toEqual(await sessions.get({ id }));
    });

    it('keeps to filters, order, take and skip', async () => {
      await fill();
      const query = sessions.query({ userId: In(['u1', 'u2']) });
      expect(await visited(query.stream({ maxRows: 3 }))).toEqual([1, 2, 6, 7, 11, 12, 16, 17, 21, 22]);
      expect(await visited(query.order({ visits: 'DESC' }).skip(2).take(3).stream({ maxRows: 2 }))).toEqual([
        17, 16, 12,
      ]);
      expect(await visited(query.take(4).stream({ maxRows: 3 }))).toEqual([1, 2, 6, 7]);
    });

    it.each([undefined, { visits: 'ASC' }] as const)(
      'gives what is there throughout exactly once while rows come and go, with the order %o',
      async (order) => {
        const ids = await fill();
        const query = order ? sessions.query().order(order) : sessions.query();
        const got = await visited(query.stream({ maxRows: 4 }), async (index) => {
          if (index === 2) await sessions.deleteAll({ id: In([ids[0]!, ids[20]!]) });
          if (index === 5) await sessions.update({ id: ids[22]! }, { note: 'changed' });
          if (index < 10) await sessions.create({ userId: 'new', visits: 1000 + index });
        });
        expect(got.filter((visits) => visits < 1000)).toEqual(numbers.filter((i) => i !== 20));
        expect(new Set(got).size).toBe(got.length);
      },
    );

    it('gives a row that moves in the order only once', async () => {
      const ids = await fill();
      const got = await visited(sessions.query().order({ visits: 'ASC' }).stream({ maxRows: 4 }), async (index) => {
        if (index <= SIZE) await sessions.update({ id: ids[index - 1]! }, { visits: 100 + index });
      });
      expect(got).toEqual(numbers);
    });

    it('can be left early, and holds no connection then', async () => {
      await fill();
      for (let i = 0; i < 30; i++) {
        for await (const session of sessions.query().stream({ maxRows: 2 })) {
          if (session.visits === 3) break;
        }
      }
      expect(await sessions.count()).toBe(SIZE);
    });
  });
});

describeDatabases('toQueryBuilder', (name) => {
  const app = useApplication(name, { tables: [Sessions] });
  let sessions: Sessions;
  beforeAll(() => {
    sessions = app.get(Sessions);
  });

  it("runs the same conditions in TypeORM's query builder, which never reads the digest", async () => {
    await createFor(sessions, app.clock, 'a', 'b', 'a');
    await sessions.expire(await sessions.create({ userId: 'a' }));
    app.clock.advance(SECOND);
    const found = await sessions.query({ userId: 'a' }).toQueryBuilder('s').orderBy('s.createdAt').getMany();
    expect(found.map((entity) => entity['userId'])).toEqual(['a', 'a']);
    expect(Object.keys(found[0]!)).not.toContain('authTokenDigest');
  });

  it('joins other conditions and groups', async () => {
    await createFor(sessions, app.clock, 'a', 'b', 'a');
    const groups = await sessions
      .query()
      .toQueryBuilder('s')
      .andWhere('s.userId <> :none', { none: 'z' })
      .select('s.userId', 'user')
      .addSelect('COUNT(*)', 'total')
      .groupBy('s.userId')
      .orderBy('s.userId')
      .getRawMany<{ user: string; total: unknown }>();
    expect(groups.map(({ user, total }) => [user, Number(total)])).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
  });
});

describe('toQueryBuilder in memory', () => {
  const app = useApplication('memory', { tables: [Sessions] });

  it('says that it needs the TypeOrmAdapter', () => {
    expect(() => app.get(Sessions).query().toQueryBuilder()).toThrow(
      new UnsupportedQueryError(typeOrmNeeded('sessions')),
    );
  });
});
