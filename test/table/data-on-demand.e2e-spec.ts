import { Entity } from 'typeorm';
import { beforeAll, expect, it } from 'vitest';
import { JsonPath, type SessionEvent, SessionsTable, SessionValidationError, StaleSessionError } from '@app/sessions';
import { describeDatabases } from '../support/databases.js';
import { QueryLog } from '../support/query-log.js';
import { describeStorages, useApplication } from '../support/application.js';
import { DAY } from '../support/clock.js';
import { errorOf } from '../support/sessions.js';
import { UserColumns } from '../support/users.js';

@Entity()
class User extends UserColumns {}

const DATA = { device: 'phone', list: [1, { b: null }] };

class Sessions extends SessionsTable({
  extraFields: {
    userId: { type: 'string', length: 36 },
    user: { manyToOne: () => User, joinColumn: 'userId' },
  },
  data: 'onDemand',
  rotation: true,
  freshness: true,
  revocation: true,
}) {}

/** The same with a near cache. */
class Cached extends SessionsTable({
  table: 'cached',
  data: 'onDemand',
  cache: { channel: null },
}) {}

const SETUP = { tables: [Sessions, Cached], entities: [User], options: { defaultTable: Sessions } };

describeStorages('a table whose data are loaded on demand', (name) => {
  const app = useApplication(name, SETUP);
  let sessions: Sessions;
  beforeAll(async () => {
    sessions = app.get(Sessions);
    if (name !== 'memory') await app.manager.insert(User, { id: 'u1', name: 'Ann' });
  });

  it('has them on no session, whichever way it comes', async () => {
    const events: SessionEvent[] = [];
    const listening = sessions.events.subscribe((event) => events.push(event));
    const created = await sessions.create({ userId: 'u1', data: DATA });
    const { id, authToken } = created;
    app.clock.advance(2 * DAY);
    const extended = await sessions.authenticate(authToken);
    const updated = await sessions.update(created, { data: { device: 'tablet' } });
    app.clock.advance(2 * DAY);
    const refreshed = await sessions.refresh(updated);
    const rotated = await sessions.rotate(refreshed);
    const reauthenticated = await sessions.reauthenticate(rotated!);
    const related = name === 'memory' ? [] : await sessions.list({ id }, { relations: ['user'] });
    const streamed: object[] = [];
    for await (const session of sessions.query({ id }).stream()) streamed.push(session);
    const found = [await sessions.get({ id }), ...(await sessions.list({ id })), ...related, ...streamed];
    await sessions.revoke(reauthenticated);
    await sessions.deleteAll({ status: 'all' });
    listening.unsubscribe();
    expect(events.map(({ type }) => type)).toEqual([
      'created',
      'refreshed',
      'used',
      'refreshed',
      'rotated',
      'reauthenticated',
      'revoked',
      'deleted',
    ]);
    const told = events.map((event) => 'session' in event && event.session);
    for (const session of [created, extended, updated, refreshed, rotated, reauthenticated, ...found, ...told]) {
      expect(session).toMatchObject({ id, userId: 'u1' });
      expect(session).not.toHaveProperty('data');
    }
  });

  it('gives them by dataOf, as create and update wrote them', async () => {
    const session = await sessions.create({ userId: 'u1', data: DATA });
    expect(await sessions.dataOf(session)).toEqual(DATA);
    await sessions.update(session, { data: { device: 'tablet' } });
    expect(await sessions.dataOf({ id: session.id })).toEqual({ device: 'tablet' });
    expect(await sessions.dataOf(await sessions.create({ userId: 'u1' }))).toEqual({});
  });

  it('gives those of a session that has ended, but not of one that is gone', async () => {
    const session = await sessions.create({ userId: 'u1', data: DATA });
    await sessions.revoke(session);
    expect(await sessions.dataOf(session)).toEqual(DATA);
    await sessions.delete(session);
    expect(await errorOf(sessions.dataOf(session))).toBeInstanceOf(StaleSessionError);
  });

  it('refuses what is no id', async () => {
    expect(await errorOf(sessions.dataOf({ id: undefined as never }))).toBeInstanceOf(SessionValidationError);
  });

  it('finds sessions by them', async () => {
    const { id } = await sessions.create({ userId: 'u1', data: DATA });
    await sessions.create({ userId: 'u1', data: { device: 'tablet' } });
    expect(await sessions.list({ data: JsonPath(['device'], 'phone') })).toMatchObject([{ id }]);
  });

  it('has none of them in its near cache', async () => {
    const cached = app.get(Cached);
    const { authToken, ...session } = await cached.create({ data: DATA });
    const found = [await cached.authenticate(authToken), await cached.authenticate(authToken)];
    expect(found).toStrictEqual([session, session]);
    await cached.update(session, { data: {} });
    expect(await cached.dataOf(session)).toEqual({});
  });
});

describeDatabases('a table whose data are loaded on demand', (name) => {
  const app = useApplication(name, SETUP);
  const queries = new QueryLog();
  let sessions: Sessions;
  beforeAll(async () => {
    sessions = app.get(Sessions);
    await app.manager.insert(User, { id: 'u1', name: 'Ann' });
    app.dataSource.logger = queries;
  });

  it('does not read them with a session', async () => {
    const session = await sessions.create({ userId: 'u1' });
    queries.statements.length = 0;
    await sessions.authenticate(session.authToken);
    await sessions.list({ userId: 'u1' });
    expect(queries.statements).toHaveLength(2);
    for (const statement of queries.statements) expect(statement).not.toContain('data');
  });

  it('reads them in the transaction of the caller', async () => {
    const session = await sessions.create({ userId: 'u1' });
    await app.dataSource.transaction(async (manager) => {
      await sessions.update(session, { data: DATA }, { manager });
      expect(await sessions.dataOf(session, { manager })).toEqual(DATA);
    });
  });

  it('leaves them out of what a repository finds, unless they are asked for', async () => {
    const { id } = await sessions.create({ userId: 'u1', data: DATA });
    const repository = app.dataSource.getRepository(Sessions.entity);
    expect(await repository.findOneBy({ id })).not.toHaveProperty('data');
    const whole = repository.createQueryBuilder('session').addSelect('session.data').where({ id });
    expect(await whole.getOne()).toHaveProperty('data', DATA);
  });
});
