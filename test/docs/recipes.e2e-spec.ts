import type { INestApplicationContext, Type } from '@nestjs/common';
import { ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { Test } from '@nestjs/testing';
import { getDataSourceToken, TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import { type DataSource, Not } from 'typeorm';
import { afterEach, describe, expect, it } from 'vitest';
import { SessionsModule, SessionsTable } from '@app/sessions';

class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string', index: true } } }) {}
class Links extends SessionsTable({
  table: 'links',
  sessionTtl: '15m',
  autoExtendSession: false,
  extraFields: { userId: { type: 'string', index: true } },
}) {}
class AdminSessions extends SessionsTable({
  dataSource: 'admin',
  sessionTtl: '30m',
  extraFields: { adminId: { type: 'int' } },
}) {}

const MEMORY: TypeOrmModuleOptions = {
  type: 'better-sqlite3',
  database: ':memory:',
  autoLoadEntities: true,
  synchronize: true,
};

describe('the recipes of the README', () => {
  let app: INestApplicationContext;
  let now = new Date('2026-01-01T00:00:00Z');
  afterEach(() => app.close());

  async function open(...tables: Type[]): Promise<void> {
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot(MEMORY),
        TypeOrmModule.forRoot({ ...MEMORY, name: 'admin' }),
        ScheduleModule.forRoot(),
        SessionsModule.forRoot({ defaultTable: Sessions, clock: () => now }),
        ...tables.map((table) => SessionsModule.forFeature(table as typeof Sessions)),
      ],
    }).compile();
    app = await module.init();
  }

  it('several data sources: tables of one name are two tables, with a job each', async () => {
    await open(Sessions, AdminSessions);
    await app.get(AdminSessions).create({ adminId: 1 });
    expect([await app.get(Sessions).count(), await app.get(AdminSessions).count()]).toEqual([0, 1]);
    const jobs = app.get(SchedulerRegistry).getIntervals();
    expect(jobs.toSorted()).toEqual(['nest-sessions:prune:admin.sessions', 'nest-sessions:prune:sessions']);
  });

  it('logging out: here, on all other devices, everywhere', async () => {
    await open(Sessions);
    const sessions = app.get(Sessions);
    const [here] = [await sessions.create({ userId: 'ann' }), await sessions.create({ userId: 'ann' })];
    await sessions.create({ userId: 'bob' });
    expect(await sessions.deleteAll({ userId: 'ann', id: Not(here.id) })).toBe(1);
    expect(await sessions.expire(here)).toBe(true);
    expect(await sessions.deleteAll({ userId: 'ann' })).toBe(0);
    expect(await sessions.count()).toBe(1);
  });

  it('links that work once: of all who follow one, one is signed in', async () => {
    await open(Sessions, Links);
    const { authToken } = await app.get(Links).create({ userId: 'ann' });
    const followed = Array.from({ length: 5 }, () => app.get(Links).takeOnce({ authToken }));
    const taken = (await Promise.all(followed)).filter((link) => link !== null);
    expect(taken).toMatchObject([{ userId: 'ann' }]);
    const late = await app.get(Links).create({ userId: 'ann' });
    now = new Date(now.getTime() + 15 * 60_000);
    expect(await app.get(Links).takeOnce({ authToken: late.authToken })).toBeNull();
  });

  it('changing data: nobody undoes what another has changed', async () => {
    await open(Sessions);
    const sessions = app.get(Sessions);
    const session = await sessions.create({ userId: 'ann', data: { coupon: 'x' } });
    await Promise.all([
      sessions.patchData(session, { cart: ['shoe'], coupon: undefined }),
      sessions.patchData(session, { visits: 1 }),
    ]);
    const read = await sessions.getOrFail({ id: session.id });
    expect(read.data).toEqual({ cart: ['shoe'], visits: 1 });
    const counted = [1, 2].map(() => sessions.update(read, { data: { visits: 2 } }, { ifUnchanged: true }));
    const outcomes = await Promise.allSettled(counted);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  it('transactions: what is rolled back was never there', async () => {
    await open(Sessions);
    const dataSource = app.get<DataSource>(getDataSourceToken());
    const sessions = app.get(Sessions);
    const failing = dataSource.transaction(async (manager) => {
      await sessions.create({ userId: 'ann' }, { manager });
      throw new Error('no user');
    });
    await expect(failing).rejects.toThrow('no user');
    expect(await sessions.count()).toBe(0);
  });

  it('testing: eight days later a session of seven has ended', async () => {
    await open(Sessions);
    const { authToken } = await app.get(Sessions).create({ userId: 'ann' });
    now = new Date('2026-01-09T00:00:00Z');
    expect(await app.get(Sessions).get({ authToken })).toBeNull();
  });
});
