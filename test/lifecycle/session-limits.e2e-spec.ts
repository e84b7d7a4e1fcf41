import { Controller, Get, Inject } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  MemoryAdapter,
  type SessionEvent,
  SessionLimitError,
  type SessionOf,
  SessionsModule,
  SessionsTable,
} from '@app/sessions';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { BODIES } from '../errors/one-of-each.js';
import { describePlatforms, HttpApp } from '../support/http-app.js';
import { describeStorages, useApplication } from '../support/application.js';
import { at, DAY, HOUR, MINUTE, SECOND } from '../support/clock.js';
import { errorOf } from '../support/sessions.js';

const extraFields = { userId: { type: 'string', nullable: true } } as const;
const max = 3;

class Oldest extends SessionsTable({
  table: 'oldest',
  revocation: true,
  extraFields,
  sessionLimits: { userId: { max } },
}) {}
class Rejecting extends SessionsTable({
  table: 'rejecting',
  revocation: true,
  absoluteTtl: '30d',
  extraFields,
  sessionLimits: { userId: { max, whenFull: 'reject' } },
}) {}
class LeastRecent extends SessionsTable({
  table: 'least_recent',
  lastUse: true,
  extraFields,
  sessionLimits: { userId: { max, whenFull: 'endLeastRecentlyUsed' } },
}) {}
class Single extends SessionsTable({ table: 'single', extraFields, sessionLimits: { userId: { max: 1 } } }) {}
class PerDevice extends SessionsTable({
  table: 'per_device',
  revocation: true,
  extraFields: { userId: { type: 'string' }, deviceId: { type: 'uuid', nullable: true } },
  sessionLimits: { userId: { max }, deviceId: { max: 1 } },
}) {}
class Guarded extends SessionsTable({
  table: 'guarded',
  extraFields: { userId: { type: 'string' }, seat: { type: 'int' } },
  sessionLimits: { userId: { max: 1 }, seat: { max: 1, whenFull: 'reject' } },
}) {}
class OneEach extends SessionsTable({
  table: 'one_each',
  extraFields: { ...extraFields, seat: { type: 'int', unique: true } },
  sessionLimits: { userId: { max: 1 } },
}) {}

const TABLES = [Oldest, Rejecting, LeastRecent, Single, PerDevice, Guarded, OneEach];
const PHONE = '0198c0de-0000-7000-8000-00000000000a';
const LAPTOP = '0198c0de-0000-7000-8000-00000000000b';

type Token = { readonly authToken: string };

describeStorages('a limit of concurrent sessions', (name) => {
  const app = useApplication(name, { tables: TABLES, options: { defaultTable: 'oldest' } });
  let oldest: Oldest;
  let rejecting: Rejecting;
  beforeAll(() => {
    oldest = app.get(Oldest);
    rejecting = app.get(Rejecting);
  });

  /** So many sessions of one user, each begun a second after the one before. */
  async function begin(sessions: Single, count: number, userId: string | null = 'ann') {
    const begun: (SessionOf<Single> & Token)[] = [];
    for (let i = 0; i < count; i++) {
      begun.push(await sessions.create({ userId }));
      app.clock.advance(SECOND);
    }
    return begun;
  }

  /** Which of the sessions are valid, by their place. */
  async function validOf(sessions: object, begun: readonly Token[]): Promise<number[]> {
    const found = await Promise.all(
      begun.map(({ authToken }) => (sessions as Oldest).authenticate(authToken, { autoExtend: false })),
    );
    return found.flatMap((session, i) => (session ? [i] : []));
  }

  describe("that says nothing, or 'endOldest'", () => {
    it('ends the oldest of too many (ASVS 7.1.2)', async () => {
      const begun = await begin(oldest, max + 2);
      expect(await validOf(oldest, begun)).toEqual([2, 3, 4]);
      expect(await oldest.count({ userId: 'ann' })).toBe(max);
    });

    it.each(['😀', 'Zoë', '李雷', 'Ω'.repeat(255)])('holds for an owner of whatever name: %s', async (userId) => {
      const begun = await begin(oldest, max + 1, userId);
      expect(await validOf(oldest, begun)).toEqual([1, 2, 3]);
    });

    it('leaves when and why', async () => {
      const [first] = await begin(oldest, max + 1);
      expect(await oldest.list({ status: 'revoked' })).toEqual([
        {
          ...first,
          isExpired: true,
          revokedAt: at(max * SECOND),
          revokedReason: 'session_limit',
          updatedAt: at(max * SECOND),
        },
      ]);
    });

    it('tells events of the end, and why', async () => {
      const [first] = await begin(oldest, max);
      const told: SessionEvent<unknown>[] = [];
      const listening = oldest.events.subscribe((event) => told.push(event));
      const last = await oldest.create({ userId: 'ann' });
      listening.unsubscribe();
      expect(told).toMatchObject([
        { type: 'revoked', reason: 'session_limit', session: { id: first!.id } },
        { type: 'created', session: { id: last.id } },
      ]);
    });

    it('tells the older by their ids, where they were begun in the same millisecond', async () => {
      const begun: Token[] = [];
      for (let i = 0; i < max + 1; i++) begun.push(await oldest.create({ userId: 'ann' }));
      expect(await validOf(oldest, begun)).toEqual([1, 2, 3]);
    });

    it('goes by the beginning, not by the use', async () => {
      const begun = await begin(oldest, max);
      app.clock.advance(2 * DAY);
      await oldest.authenticate(begun[0]!.authToken);
      await oldest.create({ userId: 'ann' });
      expect(await validOf(oldest, begun)).toEqual([1, 2]);
    });

    it('of one ends the other, also on a table without revocation', async () => {
      const first = await app.get(Single).create({ userId: 'ann' });
      app.clock.advance(HOUR);
      const second = await app.get(Single).create({ userId: 'ann' });
      expect(await validOf(app.get(Single), [first, second])).toEqual([1]);
      expect(await app.get(Single).list({ status: 'expired' })).toMatchObject([{ id: first.id, expiresAt: at(HOUR) }]);
    });

    it('ends the whole surplus, as there is where the limit was lowered', async () => {
      const begun = await begin(oldest, 2 * max, null);
      for (const session of begun) await oldest.update(session, { userId: 'ann' });
      expect(await oldest.count({ userId: 'ann' })).toBe(2 * max);
      const last = await oldest.create({ userId: 'ann' });
      expect(await validOf(oldest, [...begun, last])).toEqual([4, 5, 6]);
    });
  });

  describe("that says 'reject'", () => {
    it('refuses one too many, and writes nothing (ASVS 7.1.2)', async () => {
      const begun = await begin(rejecting, max);
      const error = await errorOf(rejecting.create({ userId: 'ann' }));
      expect(error).toBeInstanceOf(SessionLimitError);
      expect(error).toMatchObject({ code: 'ERR_SESSION_LIMIT', statusCode: 409, table: 'rejecting', field: 'userId' });
      expect(error).toMatchObject({
        max,
        message: 'Table "rejecting": this userId has 3 valid sessions, which is the limit; end one of them first.',
      });
      expect(await rejecting.list({ status: 'all' })).toEqual(begun.toReversed());
    });

    it('tells no owner in the error', async () => {
      await begin(rejecting, max, 'ann@example.org');
      const error = await errorOf(rejecting.create({ userId: 'ann@example.org' }));
      expect(JSON.stringify(error) + error.message).not.toContain('example.org');
    });

    it('refuses more where there are too many already, as there are where the limit was lowered', async () => {
      const begun = await begin(rejecting, max + 1, null);
      for (const session of begun) await rejecting.update(session, { userId: 'ann' });
      await expect(rejecting.create({ userId: 'ann' })).rejects.toThrow(SessionLimitError);
      await rejecting.revoke(begun[0]!);
      await expect(rejecting.create({ userId: 'ann' })).rejects.toThrow(SessionLimitError);
      await rejecting.revoke(begun[1]!);
      await rejecting.create({ userId: 'ann' });
      expect(await rejecting.count({ userId: 'ann' })).toBe(max);
    });

    describe('gives back the place of a session', () => {
      it.each([
        ['was revoked', (session) => rejecting.revoke(session)],
        ['was ended', (session) => rejecting.expire(session)],
        ['was deleted', (session) => rejecting.delete(session)],
        ['has expired', async () => app.clock.advance(7 * DAY)],
        [
          'has reached its absolute limit, whatever its end',
          async (session) => {
            await rejecting.update(session, { expiresAt: null });
            app.clock.now = at(30 * DAY);
          },
        ],
        ['is another user’s now', (session) => rejecting.update(session, { userId: 'bob' })],
      ] as readonly (readonly [string, (session: SessionOf<Single>) => Promise<unknown>])[])(
        'that %s',
        async (_, free) => {
          const [first] = await begin(rejecting, max);
          await free(first!);
          const session = await rejecting.create({ userId: 'ann' });
          expect(await rejecting.authenticate(session.authToken)).toEqual(session);
        },
      );

      it('once', async () => {
        const [first] = await begin(rejecting, max);
        await rejecting.revoke(first!);
        await rejecting.create({ userId: 'ann' });
        await expect(rejecting.create({ userId: 'ann' })).rejects.toThrow(SessionLimitError);
      });
    });
  });

  describe("that says 'endLeastRecentlyUsed'", () => {
    const flush = () => app.get(SessionsRegistry).store(LeastRecent).lastUse!.flush();
    const use = async ({ authToken }: Token, ms: number): Promise<void> => {
      app.clock.now = at(ms);
      await app.get(LeastRecent).authenticate(authToken);
      await flush();
    };

    it('ends the one that has not been used for longest', async () => {
      const begun = await begin(app.get(LeastRecent), max);
      await use(begun[0]!, 10 * MINUTE);
      await use(begun[2]!, 20 * MINUTE);
      await use(begun[1]!, 30 * MINUTE);
      const fourth = await app.get(LeastRecent).create({ userId: 'ann' });
      expect(await app.get(LeastRecent).list({ status: 'expired' })).toMatchObject([{ id: begun[0]!.id }]);
      app.clock.advance(MINUTE);
      const fifth = await app.get(LeastRecent).create({ userId: 'ann' });
      const left = await app.get(LeastRecent).list({ userId: 'ann' });
      expect(left.map(({ id }) => id)).toEqual([fifth.id, fourth.id, begun[1]!.id]);
    });

    it('takes the beginning of one that was never used for its last use', async () => {
      const begun = await begin(app.get(LeastRecent), max - 1);
      await use(begun[0]!, 10 * MINUTE);
      await use(begun[1]!, 20 * MINUTE);
      app.clock.now = at(30 * MINUTE);
      await app.get(LeastRecent).create({ userId: 'ann' });
      app.clock.now = at(40 * MINUTE);
      await app.get(LeastRecent).create({ userId: 'ann' });
      expect(await app.get(LeastRecent).list({ status: 'expired' })).toMatchObject([{ id: begun[0]!.id }]);
    });

    it('ends the oldest, where none was used', async () => {
      const begun = await begin(app.get(LeastRecent), max + 1);
      expect(await app.get(LeastRecent).list({ status: 'expired' })).toMatchObject([{ id: begun[0]!.id }]);
    });
  });

  describe('counts', () => {
    it.each([
      ['oldest', Oldest],
      ['rejecting', Rejecting],
      ['least_recent', LeastRecent],
    ])('nothing where there is no owner, in the table "%s"', async (_, table) => {
      const begun = await begin(app.get<Single>(table), 2 * max, null);
      expect(await validOf(app.get<Single>(table), begun)).toHaveLength(2 * max);
    });

    it('no other owner, however alike', async () => {
      const owners = ['ann', 'Ann', 'ann ', 'ánn', ''];
      for (const userId of owners) await begin(rejecting, max, userId);
      for (const userId of owners) {
        expect(await rejecting.count({ userId })).toBe(max);
        await expect(rejecting.create({ userId })).rejects.toThrow(SessionLimitError);
      }
    });

    it('the owner in whatever letters an id is written', async () => {
      for (const deviceId of [PHONE, PHONE.toUpperCase()]) await app.get(PerDevice).create({ userId: 'ann', deviceId });
      expect(await app.get(PerDevice).count()).toBe(1);
    });

    it('no ended session as one to be ended', async () => {
      const begun = await begin(oldest, max);
      await oldest.revoke(begun[2]!);
      begun.push(...(await begin(oldest, 2)));
      expect(await validOf(oldest, begun)).toEqual([1, 3, 4]);
      expect(await oldest.count({ status: 'revoked', revokedReason: 'signed_out' })).toBe(1);
      expect(await oldest.count({ status: 'revoked', revokedReason: 'session_limit' })).toBe(1);
    });
  });

  describe('by several fields', () => {
    it('holds for each of them', async () => {
      const perDevice = app.get(PerDevice);
      const phone = await perDevice.create({ userId: 'ann', deviceId: PHONE });
      const again = await perDevice.create({ userId: 'bob', deviceId: PHONE });
      const others = [];
      for (let i = 0; i < max + 1; i++) others.push(await perDevice.create({ userId: 'bob' }));
      expect(await validOf(perDevice, [phone, again, ...others])).toEqual([3, 4, 5]);
    });

    it('ends nothing by one of them where another one rejects', async () => {
      const guarded = app.get(Guarded);
      const [ann, bob] = [
        await guarded.create({ userId: 'ann', seat: 1 }),
        await guarded.create({ userId: 'bob', seat: 2 }),
      ];
      const error = await errorOf(guarded.create({ userId: 'ann', seat: 2 }));
      expect(error).toMatchObject({ code: 'ERR_SESSION_LIMIT', field: 'seat', max: 1 });
      expect(await validOf(guarded, [ann, bob])).toEqual([0, 1]);
      expect(await guarded.count({ status: 'all' })).toBe(2);
    });

    it('ends no more than are too many', async () => {
      const perDevice = app.get(PerDevice);
      const laptop = await perDevice.create({ userId: 'ann', deviceId: LAPTOP });
      app.clock.advance(SECOND);
      const phone = await perDevice.create({ userId: 'ann', deviceId: PHONE });
      app.clock.advance(SECOND);
      const third = await perDevice.create({ userId: 'ann' });
      app.clock.advance(SECOND);
      const again = await perDevice.create({ userId: 'ann', deviceId: PHONE });
      expect(await validOf(perDevice, [laptop, phone, third, again])).toEqual([0, 2, 3]);
    });
  });

  describe('of an owner who signs in in place of a session', () => {
    it.each([
      ['oldest', Oldest],
      ['rejecting', Rejecting],
    ])('gives the new one its place, in the table "%s" (ASVS 7.2.4)', async (_, table) => {
      const sessions = app.get<Single>(table);
      const begun = await begin(sessions, max);
      begun.push(await sessions.signIn({ userId: 'ann' }, { replaces: begun[1] }));
      expect(await validOf(sessions, begun)).toEqual([0, 2, 3]);
      expect(await sessions.list({ status: 'revoked' })).toMatchObject([
        { id: begun[1]!.id, revokedReason: 'superseded' },
      ]);
    });

    it('ends the oldest others where the session was nobody’s yet', async () => {
      const begun = await begin(oldest, max);
      const guest = await oldest.create({});
      begun.push(guest, await oldest.signIn({ userId: 'ann' }, { replaces: guest }));
      expect(await validOf(oldest, begun)).toEqual([1, 2, 4]);
    });

    it.each([
      ['that is another owner’s', async () => (await begin(rejecting, 1, 'bob'))[0]!],
      ['that is nobody’s', async () => (await begin(rejecting, 1, null))[0]!],
      [
        'that has ended',
        async () => {
          const [session] = await begin(rejecting, 1);
          await rejecting.revoke(session!);
          return session!;
        },
      ],
      ['that there is not', async () => ({ id: LAPTOP })],
      ['whose id is none', async () => ({ id: 'garbage' })],
    ] as readonly (readonly [string, () => Promise<{ id: string }>])[])(
      'gives no place for one %s, and leaves it as it is',
      async (_, presentedBy) => {
        const replaces = await presentedBy();
        await begin(rejecting, max);
        const before = await rejecting.list({ status: 'all' });
        await expect(rejecting.signIn({ userId: 'ann' }, { replaces })).rejects.toThrow(SessionLimitError);
        expect(await rejecting.list({ status: 'all' })).toEqual(before);
      },
    );
  });

  it('ends nothing for a session that cannot begin', async () => {
    const session = await app.get(OneEach).create({ userId: 'ann', seat: 1 });
    await errorOf(app.get(OneEach).create({ userId: 'ann', seat: 1 }));
    expect(await app.get(OneEach).list({ status: 'all' })).toEqual([session]);
  });

  describe('for 20 requests at once (ASVS 7.1.2)', () => {
    const all = Array.from({ length: 20 }, (_, i) => i);

    it.each([
      ['oldest', Oldest, max],
      ['least_recent', LeastRecent, max],
      ['single', Single, 1],
    ] as const)('is never exceeded, and each gets its session, in the table "%s"', async (_, table, limit) => {
      const sessions = app.get<Single>(table);
      const begun = await Promise.all(all.map(() => sessions.create({ userId: 'ann' })));
      expect(new Set(begun.map(({ id }) => id)).size).toBe(20);
      expect(await sessions.count({ userId: 'ann' })).toBe(limit);
      expect(await sessions.count({ status: 'all' })).toBe(20);
    });

    it('is nothing to wait for, or to fail by, for other owners', async () => {
      const begun = await Promise.all(all.map((i) => rejecting.create({ userId: `user ${i}` })));
      expect(await validOf(rejecting, begun)).toHaveLength(20);
    });

    it('is nothing to wait for, or to fail by, for other owners in several fields', async () => {
      const perDevice = app.get(PerDevice);
      const begun = await Promise.all(
        all.map((i) => perDevice.create({ userId: `user ${i}`, deviceId: PHONE.slice(0, -2) + String(10 + i) })),
      );
      expect(await validOf(perDevice, begun)).toHaveLength(20);
    });

    it('lets in as many as may be, and refuses the others', async () => {
      const results = await Promise.allSettled(all.map(() => rejecting.create({ userId: 'ann' })));
      const refused = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as unknown);
      expect(refused).toHaveLength(20 - max);
      for (const error of refused) expect(error).toBeInstanceOf(SessionLimitError);
      expect(await rejecting.count({ status: 'all' })).toBe(max);
    });

    it('is never exceeded by those who replace a session', async () => {
      const begun = await begin(rejecting, max);
      const results = await Promise.allSettled(
        all.map((i) => rejecting.signIn({ userId: 'ann' }, { replaces: begun[i % max] })),
      );
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(max);
      expect(await rejecting.count({ userId: 'ann' })).toBe(max);
    });

    it('is never exceeded by owners who meet in several fields', async () => {
      const perDevice = app.get(PerDevice);
      const devices = [PHONE, LAPTOP, PHONE.toUpperCase()];
      for (let round = 0; round < 10; round++) {
        await perDevice.deleteAll({ status: 'all' });
        await Promise.all(
          all.map((i) => perDevice.create({ userId: i % 2 ? 'ann' : 'bob', deviceId: devices[i % 3]! })),
        );
        for (const userId of ['ann', 'bob']) expect(await perDevice.count({ userId })).toBeLessThanOrEqual(max);
        for (const deviceId of [PHONE, LAPTOP]) expect(await perDevice.count({ deviceId })).toBe(1);
      }
    });
  });

  if (name !== 'memory') {
    class Undone extends Error {}

    describe('in a transaction', () => {
      it('counts what the transaction has written, and ends what is too many in it', async () => {
        const begun = await begin(oldest, 2);
        await app.dataSource.transaction(async (manager) => {
          for (let i = 0; i < 2; i++) {
            begun.push(await oldest.create({ userId: 'ann' }, { manager }));
            app.clock.advance(SECOND);
          }
          expect(await oldest.query({ userId: 'ann' }, { manager }).count()).toBe(max);
        });
        expect(await validOf(oldest, begun)).toEqual([1, 2, 3]);
      });

      it('that is rolled back leaves every session as it was', async () => {
        const begun = await begin(oldest, max);
        const transaction = app.dataSource.transaction(async (manager) => {
          await oldest.create({ userId: 'ann' }, { manager });
          throw new Undone();
        });
        await expect(transaction).rejects.toThrow(Undone);
        expect(await oldest.list({ status: 'all' })).toEqual(begun.toReversed());
      });

      it('goes on after a refusal, where the application wants it to', async () => {
        await begin(rejecting, max);
        const other = await app.dataSource.transaction(async (manager) => {
          await expect(rejecting.create({ userId: 'ann' }, { manager })).rejects.toThrow(SessionLimitError);
          return rejecting.create({ userId: 'bob' }, { manager });
        });
        expect(await rejecting.authenticate(other.authToken)).toEqual(other);
        expect(await rejecting.count({ status: 'all' })).toBe(max + 1);
      });

      if (name === 'postgres') {
        // Not on MariaDB, whose gap locks may make deadlocks of these: there a transaction has to be ready to be repeated.
        it('fails for none of several owners at once', async () => {
          const begun = await Promise.all(
            Array.from({ length: 8 }, (_, i) =>
              app.dataSource.transaction((manager) => rejecting.create({ userId: `user ${i}` }, { manager })),
            ),
          );
          expect(await validOf(rejecting, begun)).toHaveLength(8);
        });
      }

      if (name !== 'sqlite') {
        it('is not exceeded by five at once (ASVS 7.1.2)', async () => {
          const results = await Promise.allSettled(
            Array.from({ length: 5 }, () =>
              app.dataSource.transaction(async (manager) => {
                // What MariaDB reads of a transaction is of the time of its first statement.
                await rejecting.query({}, { manager }).count();
                return rejecting.create({ userId: 'ann' }, { manager });
              }),
            ),
          );
          expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(max);
          expect(await rejecting.count({ status: 'all' })).toBe(max);
        });
      }
    });
  }
});

@Controller()
class SignIn {
  constructor(@Inject(Rejecting) private readonly sessions: Rejecting) {}

  @Get('sign-in')
  async signIn(): Promise<string> {
    return (await this.sessions.signIn({ userId: 'ann' })).id;
  }
}

describePlatforms('a sign-in too many', (platform) => {
  let app: HttpApp;
  beforeAll(async () => {
    app = await HttpApp.start(platform, {
      imports: [
        SessionsModule.forRoot({ adapter: new MemoryAdapter(), pruning: false }),
        SessionsModule.forFeature(Rejecting),
      ],
      controllers: [SignIn],
    });
  });
  afterAll(() => app.close());

  it('is answered by Nest with 409 and the way out', async () => {
    for (let i = 0; i < max; i++) expect(await app.get('/sign-in')).toMatchObject({ status: 200 });
    expect(await app.get('/sign-in')).toMatchObject({
      status: 409,
      body: BODIES.SessionLimitError,
    });
  });
});
