import { beforeAll, describe, expect, it } from 'vitest';
import {
  generateToken,
  type SessionEvent,
  type SessionOf,
  SessionsTable,
  SessionValidationError,
  UniqueConstraintError,
} from '@app/sessions';
import { describeStorages, useApplication } from '../support/application.js';
import { at, DAY, HOUR } from '../support/clock.js';
import { errorOf } from '../support/sessions.js';

const extraFields = { userId: { type: 'string', nullable: true } } as const;

class Sessions extends SessionsTable({ revocation: true, extraFields }) {}
class Plain extends SessionsTable({ table: 'plain', extraFields }) {}
class Rotating extends SessionsTable({ table: 'rotating', revocation: true, rotation: true, extraFields }) {}
class OneEach extends SessionsTable({
  table: 'one_each',
  revocation: true,
  extraFields: { userId: { type: 'string', unique: true } },
}) {}

type Session = SessionOf<Sessions>;

describeStorages('signing in', (name) => {
  const app = useApplication(name, {
    tables: [Sessions, Plain, Rotating, OneEach],
    options: { defaultTable: 'sessions' },
  });
  let sessions: Sessions;
  beforeAll(() => {
    sessions = app.get(Sessions);
  });

  const stored = ({ id }: { id: string }): Promise<Session | null> =>
    sessions.get({ id, status: 'all' }, { autoExtend: false });

  describe.each([
    ['sessions', Sessions],
    ['plain', Plain],
    ['rotating', Rotating],
  ])('in place of the session that was presented, in the table "%s"', (table, token) => {
    const service = (): Plain => app.get<Plain>(token);

    it('ends that one, and begins another (ASVS 7.2.4)', async () => {
      const presented = await service().create({});
      app.clock.advance(HOUR);
      const session = await service().signIn({ userId: 'ann' }, { replaces: presented });
      expect(await service().authenticate(presented.authToken)).toBeNull();
      expect(await service().authenticate(session.authToken)).toEqual(session);
      expect(await service().list()).toEqual([session]);
    });

    it('tells events of both, and why', async () => {
      const presented = await service().create({});
      const told: SessionEvent<unknown>[] = [];
      const listening = service().events.subscribe((event) => told.push(event));
      const session = await service().signIn({ userId: 'ann' }, { replaces: presented });
      listening.unsubscribe();
      expect(told).toMatchObject([
        { type: 'revoked', table, reason: 'superseded', session: { id: presented.id } },
        { type: 'created', table, session: { id: session.id } },
      ]);
    });
  });

  it('leaves when and why on a table with revocation', async () => {
    const presented = await sessions.create({});
    app.clock.advance(HOUR);
    await sessions.signIn({ userId: 'ann' }, { replaces: presented });
    expect(await stored(presented)).toEqual({
      ...presented,
      revokedAt: at(HOUR),
      revokedReason: 'superseded',
      isExpired: true,
      updatedAt: at(HOUR),
    });
  });

  it('leaves an end on a table without', async () => {
    const { id } = await app.get(Plain).create({});
    app.clock.advance(HOUR);
    await app.get(Plain).signIn({ userId: 'ann' }, { replaces: { id } });
    expect(await app.get(Plain).get({ id, status: 'all' })).toMatchObject({ expiresAt: at(HOUR), isExpired: true });
  });

  it('leaves no grace to a token that was rotated before (ASVS 7.2.4)', async () => {
    const presented = await app.get(Rotating).create({});
    const rotated = (await app.get(Rotating).rotate(presented))!;
    await app.get(Rotating).signIn({ userId: 'ann' }, { replaces: rotated });
    expect(await app.get(Rotating).authenticate(presented.authToken)).toBeNull();
    expect(await app.get(Rotating).authenticate(rotated.authToken)).toBeNull();
    expect(await app.get(Rotating).count()).toBe(1);
  });

  it('adopts nothing of the session that was presented (ASVS 7.2.4)', async () => {
    const presented = await sessions.create({ userId: 'eve', data: { cart: [1] }, expiresAt: at(30 * DAY) });
    app.clock.advance(HOUR);
    const session = await sessions.signIn({}, { replaces: presented });
    expect(session).toMatchObject({
      userId: null,
      data: {},
      expiresAt: at(7 * DAY + HOUR),
      createdAt: at(HOUR),
      revokedAt: null,
      revokedReason: null,
    });
    expect(session.id).not.toBe(presented.id);
    expect(session.authToken).not.toBe(presented.authToken);
  });

  it.each([
    ['authToken', generateToken({ length: 64 })],
    ['authTokenDigest', 'a'.repeat(64)],
    ['id', '0198c0de-0000-7000-8000-000000000000'],
  ])('adopts no %s that somebody brings, and leaves the session that was presented', async (field, value) => {
    const presented = await sessions.create({});
    const signingIn = sessions.signIn({ userId: 'ann', [field]: value }, { replaces: presented });
    await expect(signingIn).rejects.toThrow(SessionValidationError);
    expect(await sessions.list({ status: 'all' })).toEqual([presented]);
    expect(await sessions.authenticate(value)).toBeNull();
  });

  it.each([undefined, null])('in place of %s only begins a session', async (replaces) => {
    const other = await sessions.create({ userId: 'ann' });
    const session = await sessions.signIn({ userId: 'ann' }, { replaces });
    expect(await sessions.authenticate(session.authToken)).toEqual(session);
    expect(await sessions.authenticate(other.authToken)).toEqual(other);
  });

  it.each([(presented: Session) => presented.id, () => ({}), () => ({ id: 5 }), () => '', () => 0, () => false])(
    'is refused in place of what is no session (%#), and begins none (ASVS 7.2.4)',
    async (replaces) => {
      const presented = await sessions.create({ userId: 'ann' });
      const signingIn = sessions.signIn({ userId: 'ann' }, { replaces: replaces(presented) as never });
      expect(await errorOf(signingIn)).toMatchObject({
        code: 'ERR_SESSION_INVALID',
        errors: { replaces: 'must be a session, or an object with its id' },
      });
      expect(await sessions.list({ status: 'all' })).toEqual([presented]);
    },
  );

  it('without options only begins a session', async () => {
    const session = await sessions.signIn({ userId: 'ann' });
    expect(await sessions.list()).toEqual([session]);
  });

  it('ends no session but the one that was presented', async () => {
    const [presented, other] = [await sessions.create({ userId: 'ann' }), await sessions.create({ userId: 'ann' })];
    await sessions.signIn({ userId: 'ann' }, { replaces: presented });
    expect(await sessions.authenticate(other.authToken)).toEqual(other);
  });

  describe('in place of a session that is over', () => {
    it.each([
      ['was ended', (session) => sessions.expire(session)],
      ['was revoked', (session) => sessions.revoke(session)],
      ['has expired', async () => app.clock.advance(7 * DAY)],
    ] as readonly (readonly [string, (session: Session) => Promise<unknown>])[])(
      'begins one, and leaves the other as it is where it %s',
      async (_, end) => {
        const presented = await sessions.create({});
        await end(presented);
        const before = await stored(presented);
        app.clock.advance(HOUR);
        const session = await sessions.signIn({ userId: 'ann' }, { replaces: presented });
        expect(await sessions.authenticate(session.authToken)).toEqual(session);
        expect(await stored(presented)).toEqual(before);
      },
    );

    it('begins one where the other was deleted', async () => {
      const presented = await sessions.create({});
      await sessions.delete(presented);
      const session = await sessions.signIn({ userId: 'ann' }, { replaces: presented });
      expect(await sessions.list({ status: 'all' })).toEqual([session]);
    });
  });

  it('works for many requests that present the same session, which is ended once', async () => {
    const presented = await sessions.create({});
    const told: SessionEvent<unknown>[] = [];
    const listening = sessions.events.subscribe((event) => told.push(event));
    const begun = await Promise.all(
      Array.from({ length: 10 }, () => sessions.signIn({ userId: 'ann' }, { replaces: presented })),
    );
    listening.unsubscribe();
    expect(told.filter(({ type }) => type === 'revoked')).toHaveLength(1);
    for (const { authToken } of begun) expect(await sessions.authenticate(authToken)).not.toBeNull();
    expect(await sessions.authenticate(presented.authToken)).toBeNull();
  });

  describe('that fails', () => {
    it('for a unique field leaves the session that was presented', async () => {
      await app.get(OneEach).create({ userId: 'ann' });
      const presented = await app.get(OneEach).create({ userId: 'guest' });
      const signingIn = app.get(OneEach).signIn({ userId: 'ann' }, { replaces: presented });
      await expect(signingIn).rejects.toThrow(UniqueConstraintError);
      expect(await app.get(OneEach).authenticate(presented.authToken)).toEqual(presented);
      expect(await app.get(OneEach).count({ status: 'all' })).toBe(2);
    });

    it('for a wrong field leaves the session that was presented', async () => {
      const presented = await sessions.create({});
      const signingIn = sessions.signIn({ userId: 5 } as never, { replaces: presented });
      await expect(signingIn).rejects.toThrow(SessionValidationError);
      expect(await sessions.list({ status: 'all' })).toEqual([presented]);
    });

    if (name !== 'sqlite' && name !== 'memory') {
      it('to end the session that was presented begins none', async () => {
        const [table, reason] = [app.quoted('sessions'), app.quoted('revokedReason')];
        const constraint = `ADD CONSTRAINT never_superseded CHECK (${reason} IS NULL OR ${reason} <> 'superseded')`;
        const presented = await sessions.create({});
        await app.dataSource.query(`ALTER TABLE ${table} ${constraint}`);
        try {
          const error = await errorOf(sessions.signIn({ userId: 'ann' }, { replaces: presented }));
          expect(error.name).toBe('QueryFailedError');
        } finally {
          await app.dataSource.query(`ALTER TABLE ${table} DROP CONSTRAINT never_superseded`);
        }
        expect(await sessions.list({ status: 'all' })).toEqual([presented]);
      });
    }
  });

  if (name !== 'memory') {
    class Undone extends Error {}

    it('in a transaction that is rolled back leaves the session that was presented, and no other', async () => {
      const presented = await sessions.create({});
      let begun: string | undefined;
      const transaction = app.dataSource.transaction(async (manager) => {
        begun = (await sessions.signIn({ userId: 'ann' }, { replaces: presented, manager })).authToken;
        expect(await sessions.authenticate(begun, { manager })).toMatchObject({ userId: 'ann' });
        expect(await sessions.authenticate(presented.authToken, { manager })).toBeNull();
        throw new Undone();
      });
      await expect(transaction).rejects.toThrow(Undone);
      expect(await sessions.authenticate(begun)).toBeNull();
      expect(await sessions.list({ status: 'all' })).toEqual([presented]);
    });

    it('in a transaction that is committed holds, with what else was done in it', async () => {
      const session = await app.dataSource.transaction(async (manager) => {
        const presented = await sessions.create({}, { manager });
        return sessions.signIn({ userId: 'ann' }, { replaces: presented, manager });
      });
      expect(await sessions.list()).toEqual([session]);
      expect(await sessions.list({ status: 'revoked' })).toMatchObject([{ revokedReason: 'superseded' }]);
    });
  }
});
