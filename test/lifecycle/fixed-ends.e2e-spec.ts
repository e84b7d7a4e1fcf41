import { beforeAll, describe, expect, it } from 'vitest';
import { type BaseSession, SessionsTable } from '@app/sessions';
import { QueryLog } from '../support/query-log.js';
import { describeDatabases } from '../support/databases.js';
import { describeStorages, useApplication } from '../support/application.js';
import { at, DAY, HOUR, MINUTE, SECOND } from '../support/clock.js';

class Sessions extends SessionsTable({
  extraFields: { userId: { type: 'string', nullable: true } },
  rotation: true,
  freshness: true,
  ownLimits: true,
  revocation: true,
}) {}
class Cached extends SessionsTable({ table: 'cached', cache: { channel: null } }) {}
class Limited extends SessionsTable({ table: 'limited', absoluteTtl: '2h', freshness: true }) {}
class Mapped extends SessionsTable({ table: 'mapped', columns: { fixedEnd: 'ends_as_given' } }) {}

const SETUP = { tables: [Sessions, Cached, Limited, Mapped], options: { defaultTable: Sessions } };
const NO = { autoExtend: false };
type Session = Awaited<ReturnType<Sessions['create']>>;

describeStorages('an end that the application gives (ASVS 7.6.1)', (name) => {
  const app = useApplication(name, SETUP);
  let sessions: Sessions;
  beforeAll(() => {
    sessions = app.get(Sessions);
  });

  const stored = async ({ id }: { id: string }): Promise<Date | null> =>
    (await sessions.query({ id, status: 'all' }).one())!.expiresAt;

  /** How a session gets an end in an hour. */
  const GIVEN: Readonly<Record<string, () => Promise<Session>>> = {
    create: () => sessions.create({ expiresAt: at(HOUR) }),
    signIn: async () => sessions.signIn({ expiresAt: at(HOUR) }, { replaces: await sessions.create({}) }),
    update: async () => {
      const session = await sessions.create({});
      await sessions.update({ id: session.id }, { expiresAt: at(HOUR) });
      return session;
    },
    'update of an endless one': async () => {
      const session = await sessions.create({ expiresAt: null });
      await sessions.update(session, { expiresAt: at(HOUR) });
      return session;
    },
    'update of one that slides': async () => {
      const session = await sessions.create({ expiresAt: at(DAY) }, { extend: true });
      await sessions.update(session, { expiresAt: at(HOUR) });
      return session;
    },
  };

  /** What uses a session, or begins its lifetime anew. */
  const USES: Readonly<Record<string, (session: Session) => Promise<{ expiresAt: Date | null } | null>>> = {
    authenticate: ({ authToken }) => sessions.authenticate(authToken),
    'get by its token': ({ authToken }) => sessions.get({ authToken }),
    'get by its id': ({ id }) => sessions.get({ id }, { autoExtend: true }),
    refresh: (session) => sessions.refresh(session),
    rotate: async ({ id }) => sessions.rotate((await sessions.get({ id }, NO))!),
    reauthenticate: async ({ id }) => sessions.reauthenticate((await sessions.get({ id }, NO))!),
    'reauthenticate with an old copy, and again': async ({ id }) => {
      const copy = (await sessions.get({ id }, NO))!;
      await sessions.update({ id }, { userId: 'u2' });
      return sessions.reauthenticate(await sessions.reauthenticate(copy));
    },
  };

  describe.each(Object.keys(GIVEN))('by %s', (given) => {
    it.each(Object.keys(USES))('is not moved by %s', async (use) => {
      const session = await GIVEN[given]!();
      app.clock.advance(MINUTE);
      expect(await USES[use]!(session)).toMatchObject({ expiresAt: at(HOUR) });
      expect(await stored(session)).toEqual(at(HOUR));
      app.clock.now = at(HOUR - 1);
      expect(await sessions.get({ id: session.id })).toMatchObject({ expiresAt: at(HOUR), isExpired: false });
      app.clock.advance(1);
      expect(await sessions.get({ id: session.id })).toBeNull();
    });
  });

  it('is on no session, whichever way it comes, and no filter names it', async () => {
    const created = await sessions.create({ expiresAt: at(HOUR), userId: 'u1' });
    const updated = await sessions.update(created, { userId: 'u2', expiresAt: at(HOUR) });
    const patched = await sessions.patchData(updated, { a: 1 });
    const rotated = await sessions.rotate(patched);
    const streamed: object[] = [];
    for await (const session of sessions.query({}).stream()) streamed.push(session);
    const found = [await sessions.authenticate(rotated!.authToken), await sessions.refresh(patched)];
    const all = [created, updated, patched, rotated, ...found, ...(await sessions.list()), ...streamed];
    for (const session of all) expect(session).not.toHaveProperty('fixedEnd');
    expect(JSON.stringify(all)).not.toContain('fixed');
    await expect(sessions.list({ fixedEnd: true } as never)).rejects.toThrow('fixedEnd is no field');
    await expect(sessions.update(created, { fixedEnd: null } as never)).rejects.toThrow('fixedEnd is no field');
    await expect(sessions.create({ fixedEnd: true } as never)).rejects.toThrow('fixedEnd is no field');
  });

  const SLIDING: Readonly<Record<string, () => Promise<Session>>> = {
    'create with extend': () => sessions.create({ expiresAt: at(HOUR) }, { extend: true }),
    'create with a ttl': () => sessions.create({ expiresAt: at(HOUR) }, { ttl: '7d' }),
    'update with extend': async () => {
      const session = await sessions.create({ expiresAt: at(MINUTE) });
      await sessions.update(session, { expiresAt: at(HOUR) }, { extend: true });
      return session;
    },
    'update with extend, from an end that use has met': async () => {
      const session = await sessions.create({ expiresAt: at(HOUR) });
      await sessions.authenticate(session.authToken);
      await sessions.update({ id: session.id }, { expiresAt: at(HOUR) }, { extend: true });
      return session;
    },
  };

  it.each(Object.keys(SLIDING))('is moved all the same after %s', async (given) => {
    const session = await SLIDING[given]!();
    app.clock.advance(MINUTE);
    expect(await sessions.authenticate(session.authToken)).toMatchObject({ expiresAt: at(7 * DAY + MINUTE) });
  });

  it('of a session with a ttl is fixed where the call says so', async () => {
    const session = await sessions.create({ expiresAt: at(HOUR) }, { ttl: '7d', extend: false });
    app.clock.advance(MINUTE);
    expect(await sessions.authenticate(session.authToken)).toMatchObject({ expiresAt: at(HOUR) });
  });

  it('stays while other changes are made', async () => {
    const session = await sessions.create({ expiresAt: at(HOUR) });
    await sessions.update(session, { userId: 'u2' }, { extend: true });
    app.clock.advance(MINUTE);
    expect(await sessions.authenticate(session.authToken)).toMatchObject({ userId: 'u2', expiresAt: at(HOUR) });
  });

  it('that is none leaves the session without an end, to which refresh gives the lifetime of its table', async () => {
    const session = await sessions.create({ expiresAt: at(HOUR) });
    await sessions.update(session, { expiresAt: null });
    app.clock.advance(DAY);
    expect(await sessions.authenticate(session.authToken)).toMatchObject({ expiresAt: null });
    expect(await sessions.refresh({ ...session, expiresAt: null })).toMatchObject({ expiresAt: at(8 * DAY) });
    app.clock.advance(2 * DAY);
    expect(await sessions.authenticate(session.authToken)).toMatchObject({ expiresAt: at(10 * DAY) });
  });

  it('is cut short by the absolute limit, and not moved by a new one', async () => {
    const limited = app.get(Limited);
    const [late, soon] = [await limited.create({ expiresAt: at(DAY) }), await limited.create({ expiresAt: at(HOUR) })];
    expect(late.expiresAt).toEqual(at(2 * HOUR));
    app.clock.advance(MINUTE);
    expect(await limited.reauthenticate(late)).toMatchObject({ expiresAt: at(2 * HOUR) });
    expect(await limited.reauthenticate(soon)).toMatchObject({ expiresAt: at(HOUR) });
  });

  it('lets a session be ended at any time before', async () => {
    const session = await sessions.create({ expiresAt: at(HOUR) });
    await sessions.authenticate(session.authToken);
    expect(await sessions.expire(session)).toBe(true);
    expect(await sessions.authenticate(session.authToken)).toBeNull();
  });

  it('is no end for a session beside it, used in the same moment', async () => {
    const fixed = await Promise.all([1, 2, 3].map(() => sessions.create({ expiresAt: at(HOUR) })));
    const sliding = await Promise.all([1, 2, 3].map(() => sessions.create({ expiresAt: at(HOUR) }, { extend: true })));
    for (let round = 0; round < 2; round++) {
      const used = (all: Session[]) => Promise.all(all.map(({ authToken }) => sessions.authenticate(authToken)));
      const [kept, moved] = await Promise.all([used(fixed), used(sliding)]);
      expect(kept.map((session) => session?.expiresAt)).toEqual([at(HOUR), at(HOUR), at(HOUR)]);
      expect(moved.map((session) => session?.expiresAt)).toEqual([at(7 * DAY), at(7 * DAY), at(7 * DAY)]);
    }
  });

  it('holds in a near cache too, and once the cache has been emptied', async () => {
    const cached = app.get(Cached);
    const session = await cached.create({ expiresAt: at(HOUR) });
    for (let minutes = 1; minutes < 60; minutes += 10) {
      app.clock.now = at(minutes * MINUTE);
      expect(await cached.authenticate(session.authToken)).toMatchObject({ expiresAt: at(HOUR) });
      if (minutes > 30) await cached.patchData(session, { minutes });
    }
    app.clock.now = at(HOUR);
    expect(await cached.authenticate(session.authToken)).toBeNull();
  });

  it('is kept in a column with a name of its own', async () => {
    const mapped = app.get(Mapped);
    const { authToken } = await mapped.create({ expiresAt: at(HOUR) });
    app.clock.advance(SECOND);
    expect(await mapped.authenticate(authToken)).toMatchObject({ expiresAt: at(HOUR) });
  });
});

describeDatabases('what a given end costs', (name) => {
  const app = useApplication(name, SETUP);
  const queries = new QueryLog();
  beforeAll(() => void app.dataSource.setOptions({ logger: queries, logging: true }));
  const writes = (): number => queries.statements.filter((text) => /\bUPDATE\b/.test(text)).length;

  it.each(['made by this process', 'made by another'])('is at most one statement, and then none: %s', async (by) => {
    const [sessions, cached] = [app.get(Sessions), app.get(Cached)];
    for (const table of [sessions, cached] as unknown as Sessions[]) {
      const { authToken, id } = await table.create({ expiresAt: at(HOUR) });
      // What this process knows of the row is of an earlier version then.
      if (by === 'made by another') await other(table, id);
      app.clock.advance(SECOND);
      const before = writes();
      const used: (BaseSession | null)[] = [];
      for (let i = 0; i < 5; i++) used.push(await table.authenticate(authToken));
      expect(used).toEqual(Array.from({ length: 5 }, () => expect.objectContaining({ id, expiresAt: at(HOUR) })));
      expect(writes() - before).toBeLessThanOrEqual(by === 'made by another' ? 1 : 0);
      app.clock.reset();
    }
  });

  it('lets a near cache keep the session', async () => {
    const cached = app.get(Cached);
    const { authToken } = await cached.create({ expiresAt: at(HOUR) });
    await cached.authenticate(authToken);
    expect(await queries.countOf(() => cached.authenticate(authToken))).toBe(0);
  });

  async function other(table: Sessions, id: string): Promise<void> {
    await table.patchData({ id }, { by: 'another' });
  }
});
