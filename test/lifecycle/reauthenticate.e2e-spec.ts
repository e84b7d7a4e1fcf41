import { inspect } from 'node:util';
import { DataSource } from 'typeorm';
import { describe, expect, it } from 'vitest';
import {
  type SessionEvent,
  type SessionOf,
  SessionsConfigError,
  type SessionsService,
  SessionsTable,
  SessionValidationError,
  StaleSessionError,
} from '@app/sessions';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { optionNeeded } from '../../libs/sessions/src/service/messages.js';
import { createDatabase, describeDatabases } from '../support/databases.js';
import { describeStorages, useApplication } from '../support/application.js';
import { at, DAY, HOUR, MINUTE, SECOND } from '../support/clock.js';
import { errorOf } from '../support/sessions.js';

class Sessions extends SessionsTable({ freshness: true, extraFields: { note: { type: 'string', nullable: true } } }) {}
class Rotating extends SessionsTable({ table: 'rotating', freshness: true, rotation: true, revocation: true }) {}
class Limited extends SessionsTable({ table: 'limited', freshness: true, sessionTtl: '1d', absoluteTtl: '3d' }) {}
class Flexible extends SessionsTable({
  table: 'flexible',
  freshness: true,
  ownLimits: true,
  sessionTtl: '1d',
  absoluteTtl: '3d',
}) {}
class Open extends SessionsTable({ table: 'open', freshness: true, ownLimits: true, sessionTtl: '1d' }) {}
class Endless extends SessionsTable({ table: 'endless', freshness: true, sessionTtl: null }) {}
class Unfresh extends SessionsTable({ table: 'unfresh' }) {}

type Session = SessionOf<Sessions>;

const GRACE = 30 * SECOND;

describeStorages('re-authentication', (name) => {
  const app = useApplication(name, {
    tables: [Sessions, Rotating, Limited, Flexible, Open, Endless, Unfresh],
    options: { defaultTable: 'sessions' },
  });
  const service = (table: unknown): SessionsService => app.get<SessionsService>(table as never);

  /** All that a row holds, digests included. */
  async function rowOf({ id }: { id: string }, table: { entity: unknown } = Sessions): Promise<unknown> {
    const { adapter, entity } = app.get(SessionsRegistry).store(table as never);
    return (await adapter.execute(adapter.prepare('all', entity, { where: { id } }))).rows![0];
  }

  /** Makes a row one from before the table kept when owners proved who they are. */
  async function makeLegacy({ id }: { id: string }, table: { entity: unknown }): Promise<void> {
    const { adapter, entity } = app.get(SessionsRegistry).store(table as never);
    await adapter.update(entity, { authenticatedAt: null }, { id });
  }

  describe.each([
    ['sessions', Sessions],
    ['rotating', Rotating],
    ['limited', Limited],
    ['flexible', Flexible],
    ['endless', Endless],
  ])('of the table "%s"', (_, table) => {
    it('is remembered from the creation on', async () => {
      const session = await service(table).create({});
      expect(session.authenticatedAt).toEqual(at(0));
      expect(await service(table).get({ id: session.id })).toEqual(session);
    });

    it('gives a new token, and the one before is refused at once (ASVS 7.2.4)', async () => {
      const session = await service(table).create({});
      app.clock.advance(1);
      const renewed = await service(table).reauthenticate(session);
      expect(renewed.authToken).not.toBe(session.authToken);
      expect(await service(table).authenticate(session.authToken)).toBeNull();
      expect(await service(table).authenticate(renewed.authToken)).toEqual(renewed);
    });

    it('says when it was, and keeps the session', async () => {
      const session = await service(table).create({ data: { device: 'Phone' } });
      app.clock.advance(HOUR);
      const renewed = await service(table).reauthenticate(session);
      expect(renewed).toMatchObject({ id: session.id, data: { device: 'Phone' }, createdAt: at(0) });
      expect(renewed).toMatchObject({ authenticatedAt: at(HOUR), updatedAt: at(HOUR) });
      expect(await service(table).get({ id: session.id })).toEqual(renewed);
    });

    it('counts once for one copy, also within a millisecond', async () => {
      const session = await service(table).create({});
      const results = await Promise.allSettled(
        Array.from({ length: 5 }, () => service(table).reauthenticate({ ...session })),
      );
      const won = results.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
      const lost = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as unknown);
      expect([won.length, lost.length]).toEqual([1, 4]);
      for (const error of lost) expect(error).toBeInstanceOf(StaleSessionError);
      await expect(service(table).reauthenticate(session)).rejects.toThrow(StaleSessionError);
      expect(await service(table).authenticate(won[0]!.authToken)).toEqual(won[0]);
    });

    it('works once after the other', async () => {
      const first = await service(table).reauthenticate(await service(table).create({}));
      const second = await service(table).reauthenticate(first);
      expect(await service(table).authenticate(first.authToken)).toBeNull();
      expect(await service(table).authenticate(second.authToken)).toEqual(second);
    });
  });

  describe('of a table with rotation', () => {
    it('leaves no grace to the token before, whose use ends nothing (ASVS 7.2.4)', async () => {
      const session = await app.get(Rotating).create({});
      const renewed = await app.get(Rotating).reauthenticate(session);
      for (const wait of [0, GRACE - 1, GRACE]) {
        app.clock.now = at(wait);
        expect(await app.get(Rotating).authenticate(session.authToken)).toBeNull();
      }
      expect(await app.get(Rotating).authenticate(renewed.authToken)).toEqual(renewed);
    });

    it('ends the grace of a token that was replaced before (ASVS 7.2.4)', async () => {
      const session = await app.get(Rotating).create({});
      const rotated = (await app.get(Rotating).rotate(session))!;
      const renewed = await app.get(Rotating).reauthenticate(rotated);
      expect(await app.get(Rotating).authenticate(session.authToken)).toBeNull();
      expect(await app.get(Rotating).authenticate(rotated.authToken)).toBeNull();
      expect(await app.get(Rotating).authenticate(renewed.authToken)).toEqual(renewed);
    });

    it('is seen by rotations of the session as it was before', async () => {
      const session = await app.get(Rotating).create({});
      const renewed = await app.get(Rotating).reauthenticate(session);
      expect(await app.get(Rotating).rotate(session)).toBeNull();
      expect(await app.get(Rotating).authenticate(renewed.authToken)).toEqual(renewed);
    });

    it('is seen by rotations of the session as another request has rotated it in the same millisecond', async () => {
      const session = await app.get(Rotating).create({});
      const rotated = (await app.get(Rotating).rotate(session))!;
      const renewed = await app.get(Rotating).reauthenticate(session).catch(nullIfStale);
      if (renewed === null) return;
      expect(await app.get(Rotating).rotate(rotated)).toBeNull();
      expect(await app.get(Rotating).authenticate(renewed.authToken)).toEqual(renewed);
    });

    it('works for a request that came with the token before, and whose session can be rotated then', async () => {
      const session = await app.get(Rotating).create({});
      await app.get(Rotating).rotate(session);
      const found = (await app.get(Rotating).authenticate(session.authToken))!;
      const renewed = await app.get(Rotating).reauthenticate(found);
      const rotated = await app.get(Rotating).rotate(renewed);
      expect(await app.get(Rotating).authenticate(rotated!.authToken)).toEqual(rotated);
    });
  });

  describe('begins anew', () => {
    it('the idle limit (ASVS 7.3.1)', async () => {
      const session = await app.get(Limited).create({});
      app.clock.advance(20 * HOUR);
      const { authToken, expiresAt } = await app.get(Limited).reauthenticate(session);
      expect(expiresAt).toEqual(at(44 * HOUR));
      app.clock.now = at(44 * HOUR);
      expect(await app.get(Limited).authenticate(authToken)).toBeNull();
    });

    it('the idle limit, although that gains less than the stale time', async () => {
      const session = await app.get(Limited).create({});
      app.clock.advance(MINUTE);
      expect(await app.get(Limited).reauthenticate(session)).toMatchObject({ expiresAt: at(DAY + MINUTE) });
    });

    it('the absolute limit, once (ASVS 7.3.2)', async () => {
      let { authToken } = await app.get(Limited).create({});
      for (let hours = 1; hours < 5 * 24; hours++) {
        app.clock.now = at(hours * HOUR);
        const session = (await app.get(Limited).authenticate(authToken))!;
        if (hours === 48) ({ authToken } = await app.get(Limited).reauthenticate(session));
      }
      app.clock.now = at(5 * DAY - 1);
      expect(await app.get(Limited).authenticate(authToken)).toMatchObject({ expiresAt: at(5 * DAY) });
      app.clock.advance(1);
      expect(await app.get(Limited).authenticate(authToken)).toBeNull();
    });

    it('the absolute limit before the idle one, which is not cut short by the old one', async () => {
      const limited = app.get(Limited);
      const session = await limited.create({ expiresAt: at(3 * DAY) }, { extend: true });
      app.clock.advance(2 * DAY + 12 * HOUR);
      expect(await limited.reauthenticate(session)).toMatchObject({ expiresAt: at(3 * DAY + 12 * HOUR) });
    });

    it('the limits of the table, in a table whose sessions can have their own', async () => {
      const session = await app.get(Flexible).create({});
      app.clock.advance(20 * HOUR);
      const renewed = await app.get(Flexible).reauthenticate(session);
      expect(renewed).toMatchObject({ expiresAt: at(44 * HOUR), absoluteExpiresAt: at(3 * DAY + 20 * HOUR) });
      expect(renewed.idleTtl).toBeNull();
    });

    it('the limits of the session itself, as long as they were', async () => {
      let session: SessionOf<Flexible> & { authToken: string } = await app
        .get(Flexible)
        .create({}, { ttl: '1h', absoluteTtl: '2h' });
      for (let minutes = 50; minutes <= 500; minutes += 50) {
        app.clock.now = at(minutes * MINUTE);
        session = await app.get(Flexible).reauthenticate(session);
        expect(session).toMatchObject({ expiresAt: at((minutes + 60) * MINUTE), idleTtl: 3600 });
        expect(session.absoluteExpiresAt).toEqual(at((minutes + 120) * MINUTE));
        expect(await app.get(Flexible).get({ id: session.id })).toEqual(session);
      }
      app.clock.now = at(560 * MINUTE);
      expect(await app.get(Flexible).authenticate(session.authToken)).toBeNull();
    });

    it('no limit that the session does not have', async () => {
      const session = await app.get(Open).create({});
      app.clock.advance(HOUR);
      expect(await app.get(Open).reauthenticate(session)).toMatchObject({
        expiresAt: at(25 * HOUR),
        absoluteExpiresAt: null,
      });
    });

    it('no end: a session that never ends still does not', async () => {
      const session = await app.get(Endless).create({});
      expect(await app.get(Endless).reauthenticate(session)).toMatchObject({ expiresAt: null });
      const opened = await app.get(Sessions).update(await app.get(Sessions).create({}), { expiresAt: null });
      expect(await app.get(Sessions).reauthenticate(opened)).toMatchObject({ expiresAt: null });
    });

    it('no end that is later already', async () => {
      const session = await app.get(Sessions).create({ expiresAt: at(30 * DAY) }, { extend: true });
      app.clock.advance(DAY);
      expect(await app.get(Sessions).reauthenticate(session)).toMatchObject({ expiresAt: at(30 * DAY) });
    });

    it.each([
      ['to a later time', at(30 * DAY)],
      ['away', null],
    ])('no end that another request has moved %s meanwhile', async (_, expiresAt) => {
      const session = await app.get(Sessions).create({});
      await app.get(Sessions).update(session, { expiresAt }, { extend: true });
      app.clock.advance(DAY);
      await app.get(Sessions).reauthenticate(session);
      expect(await app.get(Sessions).get({ id: session.id }, { autoExtend: false })).toMatchObject({ expiresAt });
    });
  });

  describe('is seen by filters as it is by requests', () => {
    it.each([
      ['limited', Limited],
      ['flexible', Flexible],
    ])('of the table "%s" (ASVS 7.3.2)', async (_, table) => {
      const sessions = service(table);
      const idle = await sessions.create({ data: { is: 'idle' } });
      const used = await sessions.create({ data: { is: 'used' } });
      let renewed = await sessions.create({ data: { is: 'renewed' } });
      for (let hours = 6; hours <= 6 * 24; hours += 6) {
        app.clock.now = at(hours * HOUR);
        const tokens = [idle.authToken, used.authToken, renewed.authToken];
        const read = await Promise.all([
          sessions.authenticate(tokens[0], { autoExtend: false }),
          sessions.authenticate(tokens[1]),
          sessions.authenticate(tokens[2]),
        ]);
        const valid = read.flatMap((session) => (session ? [session.data!['is']] : []));
        const listed = (status: 'valid' | 'expired') =>
          sessions.list({ status }).then((all) => new Set(all.map(({ data }) => data!['is'])));
        expect(valid).toEqual([...(hours < 24 ? ['idle'] : []), ...(hours < 72 ? ['used'] : []), ...renewedAt(hours)]);
        expect(await listed('valid')).toEqual(new Set(valid));
        expect(await listed('expired')).toEqual(
          new Set(['idle', 'used', 'renewed'].filter((is) => !valid.includes(is))),
        );
        expect(await sessions.count()).toBe(valid.length);
        expect(await sessions.count({ status: 'expired' })).toBe(3 - valid.length);
        if (hours === 60) renewed = await sessions.reauthenticate(read[2]!);
      }
    });

    const renewedAt = (hours: number): string[] => (hours < 60 + 72 ? ['renewed'] : []);

    it('of a session without an end, as from before the limit', async () => {
      const limited = app.get(Limited);
      const session = await limited.create({});
      await app
        .get(SessionsRegistry)
        .store(Limited)
        .adapter.update(Limited.entity, { expiresAt: null }, { id: session.id });
      app.clock.advance(2 * DAY);
      const { authToken } = await limited.reauthenticate({ ...session, expiresAt: null });
      app.clock.now = at(5 * DAY - 1);
      expect(await limited.authenticate(authToken)).toMatchObject({ id: session.id, isExpired: false });
      expect([await limited.count(), await limited.count({ status: 'expired' })]).toEqual([1, 0]);
      app.clock.advance(1);
      expect(await limited.authenticate(authToken)).toBeNull();
      expect([await limited.count(), await limited.count({ status: 'expired' })]).toEqual([0, 1]);
    });
  });

  describe('of a session from before the table kept it', () => {
    it('has the limits from its creation on', async () => {
      const session = await app.get(Limited).create({});
      await makeLegacy(session, Limited);
      await app.get(Limited).update(session, { expiresAt: null });
      app.clock.advance(3 * DAY - 1);
      expect(await app.get(Limited).authenticate(session.authToken)).toMatchObject({ authenticatedAt: null });
      expect([await app.get(Limited).count(), await app.get(Limited).count({ status: 'expired' })]).toEqual([1, 0]);
      app.clock.advance(1);
      expect(await app.get(Limited).authenticate(session.authToken)).toBeNull();
      expect([await app.get(Limited).count(), await app.get(Limited).count({ status: 'expired' })]).toEqual([0, 1]);
    });

    it('begins them anew', async () => {
      const { id } = await app.get(Flexible).create({}, { ttl: '10h', absoluteTtl: '20h' });
      await makeLegacy({ id }, Flexible);
      app.clock.advance(5 * HOUR);
      const session = await app.get(Flexible).getOrFail({ id }, { autoExtend: false });
      expect(await app.get(Flexible).reauthenticate(session)).toMatchObject({
        authenticatedAt: at(5 * HOUR),
        expiresAt: at(15 * HOUR),
        absoluteExpiresAt: at(25 * HOUR),
      });
    });

    it('counts once for one copy', async () => {
      const { id } = await app.get(Sessions).create({});
      await makeLegacy({ id }, Sessions);
      const session = await app.get(Sessions).getOrFail({ id });
      const results = await Promise.allSettled([1, 2, 3].map(() => app.get(Sessions).reauthenticate(session)));
      expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected', 'rejected']);
    });
  });

  describe('of a session that is over', () => {
    it.each([
      ['was ended', (session) => app.get(Sessions).expire(session)],
      ['was revoked', (session) => app.get(Sessions).revoke(session)],
      ['was deleted', (session) => app.get(Sessions).delete(session)],
      ['has expired', async () => app.clock.advance(7 * DAY)],
      [
        'was ended by a node whose clock is ahead',
        async (session) => {
          app.clock.advance(HOUR);
          await app.get(Sessions).expire(session);
          app.clock.reset();
        },
      ],
    ] as readonly (readonly [string, (session: Session) => Promise<unknown>])[])(
      'fails where it %s, and writes nothing',
      async (_, end) => {
        const session = await app.get(Sessions).create({});
        await end(session);
        const before = await rowOf(session);
        const error = await errorOf(app.get(Sessions).reauthenticate(session));
        expect(error).toBeInstanceOf(StaleSessionError);
        expect(error).toMatchObject({ code: 'ERR_SESSION_STALE', statusCode: 409, table: 'sessions', id: session.id });
        expect(await rowOf(session)).toEqual(before);
      },
    );

    it('fails where it was revoked with a reason that its table keeps', async () => {
      const session = await app.get(Rotating).create({});
      await app.get(Rotating).revoke(session);
      await expect(app.get(Rotating).reauthenticate(session)).rejects.toThrow(StaleSessionError);
      expect(await app.get(Rotating).count()).toBe(0);
    });

    it.each([
      ['limited', Limited],
      ['flexible', Flexible],
    ])('fails where it has reached its absolute limit, in the table "%s" (ASVS 7.3.2)', async (_, table) => {
      const session = await service(table).update(await service(table).create({}), { expiresAt: null });
      app.clock.advance(3 * DAY);
      expect(await service(table).get({ id: session.id })).toBeNull();
      await expect(service(table).reauthenticate(session)).rejects.toThrow(StaleSessionError);
      expect(await service(table).list()).toEqual([]);
    });
  });

  it('needs a table that remembers it', async () => {
    const session = await app.get(Unfresh).create({});
    const renewing = app.get(Unfresh).reauthenticate(session);
    await expect(renewing).rejects.toThrow(SessionsConfigError);
    await expect(renewing).rejects.toThrow(optionNeeded('unfresh', 'reauthenticate', 'freshness'));
    expect(await app.get(Unfresh).authenticate(session.authToken)).toEqual(session);
  });

  it('is claimed by no attribute', async () => {
    const session = await app.get(Sessions).create({});
    const claims = [
      app.get(Sessions).create({ authenticatedAt: at(DAY) } as never),
      app.get(Sessions).update(session, { authenticatedAt: at(DAY) } as never),
    ];
    for (const claim of claims) await expect(claim).rejects.toThrow(SessionValidationError);
  });

  it('is told to events', async () => {
    const session = await app.get(Sessions).create({});
    const told: SessionEvent<unknown>[] = [];
    const listening = app.get(Sessions).events.subscribe((event) => told.push(event));
    const renewed = await app.get(Sessions).reauthenticate(session);
    listening.unsubscribe();
    expect(told).toEqual([{ type: 'reauthenticated', table: 'sessions', at: at(0), session: renewed }]);
    expect(JSON.stringify(told) + inspect(told, { depth: 10 })).not.toMatch(/authToken|[Dd]igest|[\w-]{64}/);
  });

  it('shows the new token to nobody but who asks for it (ASVS 16.2.5)', async () => {
    const renewed = await app.get(Rotating).reauthenticate(await app.get(Rotating).create({}));
    expect(renewed.authToken).toHaveLength(64);
    expect(Object.getOwnPropertyDescriptor(renewed, 'authToken')).toMatchObject({ enumerable: false });
    expect(JSON.stringify(renewed) + inspect(renewed)).not.toMatch(/authToken|[Dd]igest|[\w-]{64}/);
  });

  // SQLite has no transaction in which another connection writes.
  it.runIf(name !== 'sqlite' && name !== 'memory')(
    'is of the session as it is now, in a transaction that began before that was changed',
    async () => {
      const session = await app.get(Sessions).create({});
      const renewed = await app.dataSource.transaction(async (manager) => {
        await app.get(Sessions).query({}, { manager }).all();
        await app.get(Sessions).update(session, { expiresAt: at(30 * DAY) });
        return app.get(Sessions).reauthenticate(session, { manager });
      });
      expect(renewed.expiresAt).toEqual(at(30 * DAY));
      expect(await app.get(Sessions).authenticate(renewed.authToken)).toMatchObject({ id: session.id });
    },
  );

  if (name !== 'memory') {
    class Undone extends Error {}

    it.each([
      ['sessions', Sessions],
      ['rotating', Rotating],
    ])('in a transaction that is rolled back leaves the old token valid, in the table "%s"', async (_, table) => {
      const session = await service(table).create({});
      let newToken: string | undefined;
      const transaction = app.dataSource.transaction(async (manager) => {
        newToken = (await service(table).reauthenticate(session, { manager })).authToken;
        expect(await service(table).authenticate(session.authToken, { manager })).toBeNull();
        throw new Undone();
      });
      await expect(transaction).rejects.toThrow(Undone);
      expect(await service(table).authenticate(newToken)).toBeNull();
      expect(await service(table).authenticate(session.authToken)).toEqual(session);
    });
  }
});

describeDatabases('the column of re-authentication', (name) => {
  it('leaves nothing to migrate', async () => {
    const database = await createDatabase(name);
    const dataSource = new DataSource({ ...database.options, entities: [Rotating.entity], synchronize: true });
    await dataSource.initialize();
    expect((await dataSource.driver.createSchemaBuilder().log()).upQueries).toEqual([]);
    await dataSource.destroy();
    await database.drop();
  });
});

/** The one way in which a re-authentication may fail. */
function nullIfStale(error: unknown): null {
  if (error instanceof StaleSessionError) return null;
  throw error;
}
