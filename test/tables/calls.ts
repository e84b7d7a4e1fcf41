import { In, Not } from 'typeorm';
import type { DataSource } from 'typeorm';
import { expect } from 'vitest';
import { JsonPath, type SessionOf, StaleCredentialsError, StaleSessionError } from '@app/sessions';
import { DAY, HOUR, MINUTE, SECOND, type TestClock } from '../support/clock.js';
import type { User, Visits } from './definition.js';

/** An application with one table, which is empty, and the users 'ann' and 'bob'. */
export interface Opened {
  readonly sessions: Visits;
  readonly clock: TestClock;
  readonly dataSource: DataSource;
  /** Writes down the uses of sessions that have been noted. */
  readonly flush: () => Promise<void>;
}

type Visit = SessionOf<Visits>;

const ANN = { userId: 'ann', data: { n: 1, nested: { on: true } }, note: 'ä 😀', scopes: ['read'] as ['read'] };

/** So many sessions of a user, an hour apart. */
async function several({ sessions, clock }: Opened, count: number, userId = 'ann'): Promise<Visit[]> {
  const created: Visit[] = [];
  for (let i = 0; i < count; i++) {
    created.push(await sessions.create({ userId }));
    clock.advance(HOUR);
  }
  return created;
}

const ids = (sessions: readonly { id: string }[]): string[] => sessions.map(({ id }) => id);

/** Every call of the service, each as a behaviour on a table that is empty. */
export const CALLS: Readonly<Record<string, (opened: Opened) => Promise<void>>> = {
  async 'create, and authenticate'({ sessions }) {
    const created = await sessions.create(ANN);
    expect(typeof created.id).toBe('string');
    expect(created).toMatchObject(ANN);
    expect(await sessions.authenticate(created.authToken)).toEqual(created);
    expect(await sessions.authenticate(`${created.authToken}x`)).toBeNull();
    expect(await sessions.get({ id: created.id })).toEqual(created);
  },

  async 'signIn with its request'({ sessions }) {
    const request = { ip: '192.0.2.7', headers: { 'user-agent': 'Phone' } };
    const created = await sessions.signIn({ userId: 'ann' }, { request });
    expect(created).toMatchObject({ lastUsedIp: '192.0.2.7', lastUsedUserAgent: 'Phone' });
    expect(await sessions.get({ authToken: created.authToken })).toEqual(created);
  },

  async 'signIn within limits'(opened) {
    const { sessions } = opened;
    const [first, ...others] = await several(opened, 4);
    expect(ids(await sessions.list({ userId: 'ann' })).sort()).toEqual(ids(others).sort());
    expect(await sessions.list({ status: 'revoked' })).toMatchObject([
      { id: first!.id, revokedReason: 'session_limit' },
    ]);
  },

  async 'signIn in the place of another'({ sessions }) {
    const former = await sessions.create(ANN);
    const created = await sessions.signIn(ANN, { replaces: former });
    expect(await sessions.get({ id: former.id, status: 'revoked' })).toMatchObject({ revokedReason: 'superseded' });
    expect(ids(await sessions.list())).toEqual([created.id]);
  },

  async 'signIn after changed credentials'({ sessions, clock }) {
    const provedAt = clock.now;
    const { id } = await sessions.signIn(ANN, { provedAt });
    clock.advance(5 * SECOND);
    expect(await sessions.revokeAll({ userId: 'ann' }, { reason: 'credentials_changed' })).toBe(1);
    await expect(sessions.signIn(ANN, { provedAt })).rejects.toThrow(StaleCredentialsError);
    expect(ids(await sessions.list({ status: 'all' }))).toEqual([id]);
    clock.advance(5 * SECOND);
    expect(await sessions.signIn(ANN, { provedAt: clock.now })).toMatchObject(ANN);
  },

  async 'get and list by filters'(opened) {
    const { sessions } = opened;
    const [a, b, c] = await several(opened, 3);
    const other = await sessions.create(ANN);
    expect(ids(await sessions.list({ id: In([a!.id, b!.id, other.id]), status: 'all' })).sort()).toEqual(
      ids([a!, b!, other]).sort(),
    );
    expect(ids(await sessions.list({ id: Not(b!.id) })).sort()).toEqual(ids([c!, other]).sort());
    expect(await sessions.get({ id: 'nobody' })).toBeNull();
    expect(ids(await sessions.list({ data: JsonPath(['n'], 1) }))).toEqual([other.id]);
    expect(await sessions.count({ note: 'ä 😀', userId: 'ann' })).toBe(1);
    expect(await sessions.count({ note: 'Ä 😀' })).toBe(0);
    expect(await sessions.count({ expiresAt: other.expiresAt, createdAt: other.createdAt })).toBe(1);
  },

  async 'list in orders and pages'(opened) {
    const { sessions } = opened;
    const created = [...(await several(opened, 3)), ...(await several(opened, 2, 'bob'))];
    expect(ids(await sessions.list())).toEqual(ids(created.toReversed()));
    const ascending = ids(await sessions.list({}, { order: { id: 'ASC' } }));
    expect(ascending.toSorted()).toEqual(ids(created).toSorted());
    expect(ids(await sessions.list({}, { order: { id: 'DESC' } }))).toEqual(ascending.toReversed());
    expect(ids(await sessions.list({}, { order: { createdAt: 'ASC' }, skip: 1, take: 2 }))).toEqual(
      ids(created.slice(1, 3)),
    );
    const current = await sessions.listValid({ userId: 'bob' }, { current: created[4]! });
    expect(current.map(({ isCurrent }) => isCurrent)).toEqual([true, false]);
  },

  async stream(opened) {
    const created = [...(await several(opened, 3)), ...(await several(opened, 2, 'bob'))];
    const streamed: Visit[] = [];
    for await (const session of opened.sessions.query().stream({ maxRows: 2 })) streamed.push(session);
    expect(ids(streamed).sort()).toEqual(ids(created).sort());
  },

  async toQueryBuilder(opened) {
    const [a] = await several(opened, 1);
    const builder = opened.sessions.query({ id: a!.id }).toQueryBuilder();
    expect(await builder.getCount()).toBe(1);
  },

  async relations({ sessions }) {
    const { id } = await sessions.create(ANN);
    await sessions.create({ userId: 'bob' });
    const names = (visits: readonly { user?: User | null }[]) => new Set(visits.map(({ user }) => user?.name));
    expect(await sessions.get({ id }, { relations: ['user'] })).toMatchObject({ user: { id: 'ann', name: 'Ann' } });
    expect(names(await sessions.list({}, { relations: ['user'] }))).toEqual(new Set(['Ann', 'Bob']));
  },

  async 'extension by use, of one and of several'(opened) {
    const { sessions, clock } = opened;
    const created = [await sessions.create(ANN), await sessions.create(ANN), await sessions.create({ userId: 'bob' })];
    clock.advance(20 * HOUR);
    const one = await sessions.authenticate(created[0]!.authToken);
    expect(one!.expiresAt!.getTime()).toBe(created[0]!.expiresAt!.getTime() + 20 * HOUR);
    expect(await sessions.get({ id: one!.id }, { autoExtend: false })).toEqual(one);
    const all = await Promise.all(created.map(({ authToken }) => sessions.authenticate(authToken)));
    expect(new Set(all.map((session) => session!.expiresAt!.getTime()))).toEqual(new Set([one!.expiresAt!.getTime()]));
    expect(await sessions.list({}, { order: { createdAt: 'ASC' } })).toHaveLength(3);
    clock.advance(DAY);
    expect(await sessions.authenticate(created[1]!.authToken)).toBeNull();
  },

  async refresh({ sessions, clock }) {
    const created = await sessions.create(ANN);
    clock.advance(20 * HOUR);
    const refreshed = await sessions.refresh(created);
    expect(refreshed.expiresAt!.getTime()).toBeGreaterThan(created.expiresAt!.getTime());
    expect(await sessions.get({ id: created.id }, { autoExtend: false })).toEqual(refreshed);
  },

  async 'last use'({ sessions, clock, flush }) {
    const created = await sessions.create(ANN);
    clock.advance(10 * MINUTE);
    await sessions.authenticate(created.authToken, { use: { ip: '192.0.2.8', userAgent: 'Tablet' } });
    await flush();
    const used = await sessions.get({ id: created.id }, { autoExtend: false });
    expect(used).toMatchObject({ lastUsedIp: '192.0.2.8', lastUsedUserAgent: 'Tablet' });
    expect(used!.lastUsedAt!.getTime()).toBeGreaterThan(created.createdAt.getTime());
  },

  async 'expire and revoke'({ sessions }) {
    const [a, b] = [await sessions.create(ANN), await sessions.create(ANN)];
    expect([await sessions.expire(a), await sessions.expire(a)]).toEqual([true, false]);
    expect([await sessions.revoke(b), await sessions.revoke(b)]).toEqual([true, false]);
    expect(await Promise.all([a, b].map(({ authToken }) => sessions.authenticate(authToken)))).toEqual([null, null]);
    expect(ids(await sessions.list({ status: 'expired' }))).toEqual([a.id]);
    expect(ids(await sessions.list({ status: 'revoked' }))).toEqual([b.id]);
  },

  async 'revokeAll and revokeOthers'(opened) {
    const { sessions } = opened;
    const [, b] = await several(opened, 3);
    await several(opened, 1, 'bob');
    expect(await sessions.revokeOthers(b!, { userId: 'ann' })).toBe(2);
    expect(ids(await sessions.list({ userId: 'ann' }))).toEqual([b!.id]);
    expect(await sessions.revokeAll({ userId: 'ann' })).toBe(1);
    expect(await sessions.count()).toBe(1);
  },

  async 'changes of several at once'(opened) {
    const { sessions } = opened;
    const created = [...(await several(opened, 3)), ...(await several(opened, 3, 'bob'))];
    const each = <T>(change: (session: Visit, i: number) => Promise<T>): Promise<T[]> =>
      Promise.all(created.map(change));
    const changes = created.map((_, i) => ({ note: i % 2 === 0 ? `ä ${i}` : null, data: { n: i } }));
    const updated = await each((session, i) => sessions.update(session, changes[i]!));
    expect(updated).toMatchObject(created.map(({ id }, i) => ({ id, ...changes[i] })));
    expect(await each(({ id }) => sessions.get({ id }, { autoExtend: false }))).toEqual(updated);
    const change = [(session: Visit) => sessions.rotate(session), (session: Visit) => sessions.reauthenticate(session)];
    for (const withNewToken of change) {
      const changed = await each(async (session) => withNewToken(session));
      const found = await Promise.all(changed.map((session) => sessions.authenticate(session!.authToken)));
      expect(ids(found.map((session) => session!))).toEqual(ids(created));
    }
    const [ended, ...others] = created;
    await sessions.expire(ended!);
    expect(await each((session) => sessions.expire(session))).toEqual([false, ...others.map(() => true)]);
    expect(await each((session) => sessions.revoke(session))).toEqual(created.map(() => false));
  },

  async takeOnce({ sessions }) {
    const { id, authToken } = await sessions.create(ANN);
    const taken = await Promise.all([1, 2].map(() => sessions.takeOnce({ authToken })));
    expect(taken.filter((session) => session !== null)).toMatchObject([{ id }]);
  },

  async rotate({ sessions, clock }) {
    const created = await sessions.create(ANN);
    const rotated = await sessions.rotate(created);
    expect(rotated).toMatchObject({ id: created.id, userId: 'ann' });
    expect(await sessions.authenticate(rotated!.authToken)).toEqual(rotated);
    expect(await sessions.authenticate(created.authToken)).not.toBeNull();
    clock.advance(HOUR);
    expect(await sessions.rotate(rotated!)).toMatchObject({ id: created.id });
    expect(await sessions.authenticate(created.authToken)).toBeNull();
  },

  async reauthenticate({ sessions, clock }) {
    const created = await sessions.create(ANN);
    clock.advance(HOUR);
    const again = await sessions.reauthenticate(created);
    expect(again.authenticatedAt!.getTime()).toBeGreaterThan(created.authenticatedAt!.getTime());
    expect(await sessions.authenticate(again.authToken)).toEqual(again);
    expect(await sessions.authenticate(created.authToken)).toBeNull();
  },

  async update({ sessions, clock }) {
    const created = await sessions.create(ANN);
    clock.advance(HOUR);
    const updated = await sessions.update(created, { note: null, data: { n: 2 }, scopes: ['write'] });
    expect(updated).toMatchObject({ id: created.id, note: null, data: { n: 2 }, scopes: ['write'] });
    await expect(sessions.update(created, { note: 'x' }, { ifUnchanged: true })).rejects.toThrow(StaleSessionError);
    expect(await sessions.update(updated, { note: 'x' }, { ifUnchanged: true })).toMatchObject({ note: 'x' });
    const expiresAt = new Date(clock.now.getTime() + 3 * HOUR);
    expect(await sessions.update(created, { expiresAt })).toMatchObject({ id: created.id });
    clock.advance(2 * HOUR);
    expect(await sessions.authenticate(created.authToken)).not.toBeNull();
    clock.advance(HOUR + SECOND);
    expect(await sessions.authenticate(created.authToken)).toBeNull();
  },

  async 'patchData and dataOf'({ sessions }) {
    const created = await sessions.create(ANN);
    const data = { n: 3, nested: { on: true }, more: [1, null, 'ü'] };
    expect(await sessions.patchData(created, { n: 3, more: [1, null, 'ü'] })).toMatchObject({ data });
    expect(await sessions.dataOf(created)).toEqual(data);
  },

  async 'delete, deleteOrFail and deleteAll'(opened) {
    const { sessions } = opened;
    const [a, b, c] = [...(await several(opened, 2)), ...(await several(opened, 1, 'bob'))];
    expect([await sessions.delete(a!), await sessions.delete(a!)]).toEqual([true, false]);
    await sessions.deleteOrFail(b!);
    await expect(sessions.deleteOrFail(b!)).rejects.toThrow(StaleSessionError);
    expect(await sessions.deleteAll({ id: In([a!.id, c!.id]) })).toBe(1);
    await several(opened, 3);
    expect(await sessions.query().order({ createdAt: 'ASC' }).take(2).delete()).toBe(2);
    expect(await sessions.count({ status: 'all' })).toBe(1);
  },

  async deleteExpired(opened) {
    const { sessions, clock } = opened;
    const [revoked, expired] = await several(opened, 2);
    await sessions.revoke(revoked!);
    clock.advance(DAY);
    const overLimit = await sessions.create(ANN, { ttl: '8d', absoluteTtl: '1h', extend: false });
    await sessions.update(overLimit, { expiresAt: null });
    const valid = await sessions.create(ANN, { ttl: '40d', absoluteTtl: '60d' });
    expect(await sessions.deleteExpired()).toBe(1);
    expect(ids(await sessions.list({ status: 'all' }))).not.toContain(expired!.id);
    clock.advance(31 * DAY);
    expect(await sessions.deleteExpired()).toBe(2);
    expect(ids(await sessions.list({ status: 'all' }))).toEqual([valid.id]);
  },

  async 'calls within a transaction'({ sessions, dataSource }) {
    const failed = dataSource.transaction(async (manager) => {
      const created = await sessions.create(ANN, { manager });
      expect(await sessions.get({ id: created.id }, { manager })).toMatchObject(ANN);
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    expect(await sessions.count({ status: 'all' })).toBe(0);
    const created = await dataSource.transaction(async (manager) => {
      const inside = await sessions.create(ANN, { manager });
      await sessions.update(inside, { note: 'in it' }, { manager });
      return inside;
    });
    expect(await sessions.authenticate(created.authToken)).toMatchObject({ id: created.id, note: 'in it' });
  },
};
