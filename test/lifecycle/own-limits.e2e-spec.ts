import { describe, expect, it } from 'vitest';
import { SessionsTable, SessionValidationError, type TableOptions } from '@app/sessions';
import { resolveOptions } from '../../libs/sessions/src/options/resolve-options.js';
import { createDatabase, describeDatabases } from '../support/databases.js';
import { describeStorages, useApplication } from '../support/application.js';
import { at, DAY, HOUR, MINUTE, SECOND } from '../support/clock.js';
import { DataSource } from 'typeorm';

class Sessions extends SessionsTable({ table: 'sessions', sessionTtl: '1d', absoluteTtl: '3d' }) {}
class Flexible extends SessionsTable({ table: 'flexible', sessionTtl: '1d', absoluteTtl: '3d', ownLimits: true }) {}
class Endless extends SessionsTable({ table: 'endless', sessionTtl: null, absoluteTtl: '1d' }) {}

describeStorages('limits', (name) => {
  const app = useApplication(name, { tables: [Sessions, Flexible, Endless], options: { defaultTable: 'sessions' } });

  describe.each([Sessions, Flexible])('of the table (%o)', (table) => {
    it('end a session that is not used (ASVS 7.3.1)', async () => {
      const { authToken } = await app.get(table).create({});
      app.clock.advance(DAY);
      expect(await app.get(table).authenticate(authToken)).toBeNull();
    });

    it('end a session that is in constant use (ASVS 7.3.2)', async () => {
      const { authToken } = await app.get(table).create({});
      for (let hours = 0; hours < 71; hours++) {
        app.clock.advance(HOUR);
        expect(await app.get(table).authenticate(authToken)).not.toBeNull();
      }
      app.clock.advance(HOUR - 1);
      expect(await app.get(table).authenticate(authToken)).toMatchObject({ expiresAt: at(3 * DAY) });
      app.clock.advance(1);
      expect(await app.get(table).authenticate(authToken)).toBeNull();
      expect(await app.get(table).count({ status: 'expired' })).toBe(1);
    });

    it.each([null, at(9 * DAY)])('hold for an end that is given: %s', async (expiresAt) => {
      expect(await app.get(table).create({ expiresAt })).toMatchObject({ expiresAt: at(3 * DAY) });
    });

    it('hold although the end is moved beyond them', async () => {
      const session = await app.get(table).create({});
      await app.get(table).update(session, { expiresAt: null });
      app.clock.advance(3 * DAY);
      expect(await app.get(table).authenticate(session.authToken)).toBeNull();
      expect(await app.get(table).list()).toEqual([]);
      expect(await app.get(table).list({ status: 'expired' })).toMatchObject([{ id: session.id, isExpired: true }]);
    });
  });

  it('end a session of a table without an idle limit', async () => {
    expect(await app.get(Endless).create({})).toMatchObject({ expiresAt: at(DAY) });
  });

  describe('of a session', () => {
    it('take the place of the table’s', async () => {
      const session = await app.get(Flexible).create({}, { ttl: '1h', absoluteTtl: '2h' });
      expect(session).toMatchObject({ expiresAt: at(HOUR), absoluteExpiresAt: at(2 * HOUR), idleTtl: 3600 });
      app.clock.advance(50 * MINUTE);
      expect(await app.get(Flexible).authenticate(session.authToken)).toMatchObject({ expiresAt: at(110 * MINUTE) });
      app.clock.advance(50 * MINUTE);
      expect(await app.get(Flexible).authenticate(session.authToken)).toMatchObject({ expiresAt: at(2 * HOUR) });
      app.clock.advance(20 * MINUTE);
      expect(await app.get(Flexible).authenticate(session.authToken)).toBeNull();
    });

    it('can be longer than the table’s', async () => {
      const session = await app.get(Flexible).create({}, { ttl: '7d', absoluteTtl: '30d' });
      app.clock.advance(6 * DAY);
      expect(await app.get(Flexible).authenticate(session.authToken)).toMatchObject({ expiresAt: at(13 * DAY) });
    });

    it('are the table’s where none are given', async () => {
      const session = await app.get(Flexible).create({});
      expect(session).toMatchObject({ idleTtl: null, absoluteExpiresAt: at(3 * DAY) });
      expect(await app.get(Flexible).get({ id: session.id })).toEqual(session);
    });

    it('need a table that stores them', async () => {
      const creating = app.get(Sessions).create({}, { ttl: '1h' });
      await expect(creating).rejects.toThrow(SessionValidationError);
      await expect(creating).rejects.toThrow('ttl needs ownLimits: true in the definition of the table');
      expect(await app.get(Sessions).count({ status: 'all' })).toBe(0);
    });

    it.each([0, -1, 0.5, NaN, 'soon'])('are at least a second, so not %s', async (ttl) => {
      await expect(app.get(Flexible).create({}, { ttl: ttl as number })).rejects.toThrow(
        'ttl must be at least a second',
      );
    });
  });
});

describeDatabases('the columns of own limits', (name) => {
  it('leave nothing to migrate', async () => {
    const database = await createDatabase(name);
    const dataSource = new DataSource({ ...database.options, entities: [Flexible.entity], synchronize: true });
    await dataSource.initialize();
    expect((await dataSource.driver.createSchemaBuilder().log()).upQueries).toEqual([]);
    await dataSource.destroy();
    await database.drop();
  });
});

describe('assurance', () => {
  const problems: string[] = [];
  const resolve = (options: TableOptions) => resolveOptions(options, (problem) => problems.push(problem));

  it.each([
    ['aal1', 30 * DAY, 30 * DAY],
    ['aal2', HOUR, DAY],
    ['aal3', 15 * MINUTE, 12 * HOUR],
  ] as const)('%s has the limits of NIST SP 800-63B-4', (assurance, ttlMs, absoluteMs) => {
    expect(resolve({ assurance })).toMatchObject({ ttlMs, absoluteMs });
  });

  it('extends after a tenth of its idle limit, so that the limit is felt as what it is', () => {
    expect(resolve({ assurance: 'aal3' }).staleMs).toBe(90 * SECOND);
  });

  it('can be made shorter, and not longer', () => {
    expect(resolve({ assurance: 'aal2', sessionTtl: '10m', absoluteTtl: '8h' })).toMatchObject({ ttlMs: 10 * MINUTE });
    expect(problems).toEqual([]);
    resolve({ assurance: 'aal2', sessionTtl: '2h', absoluteTtl: null });
    expect(problems).toEqual([
      'sessionTtl must be at most 3600 seconds for aal2',
      'absoluteTtl must be at most 86400 seconds for aal2',
    ]);
  });
});
