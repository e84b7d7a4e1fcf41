import { Test, type TestingModule } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type QueryRunner } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveSessions, SessionsMetrics, SessionsModule, SessionsTable } from '@app/sessions';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { createDatabase, mysqlAlike, SERVERS, type TestDatabase } from '../support/databases.js';
import { LogCapture } from '../support/log-capture.js';
import { UNTIL_IT_HANGS } from '../support/until.js';

class Sessions extends SessionsTable({}) {}

/** What lets nobody read the table, and what ends that. */
const LOCK = mysqlAlike({
  postgres: [['BEGIN', 'LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE'], 'ROLLBACK'],
  mariadb: [['LOCK TABLES sessions WRITE'], 'UNLOCK TABLES'],
});

describe.each(SERVERS)('a check of what is open while a look-up is held up on %s', (type) => {
  let database: TestDatabase;
  let module: TestingModule;
  let locker: QueryRunner;
  const ended = vi.fn<(id: string) => void>();
  const gauges = () => module.get(SessionsMetrics).all()[0]!.gauges;
  const check = async () => module.get(SessionsRegistry).store(Sessions).held.check();

  /** A session with something open, which ends with it. */
  async function open(): Promise<string> {
    const session = await module.get(Sessions).create({});
    module.get(LiveSessions).hold(session, () => ended(session.id));
    return session.id;
  }

  /** Look-ups of tokens that nobody has, which wait for the table. */
  async function heldUp(count: number): Promise<{ readonly answers: Promise<unknown> }> {
    for (const statement of LOCK[type][0]) await locker.query(statement);
    const all = Array.from({ length: count }, (_, i) => module.get(Sessions).authenticate(String(i).repeat(64)));
    await expect
      .poll(() => gauges().lookUpsInFlight + gauges().lookUpsWaiting, UNTIL_IT_HANGS)
      .toBeGreaterThanOrEqual(count);
    return { answers: Promise.all(all) };
  }

  beforeEach(async () => {
    ended.mockClear();
    database = await createDatabase(type);
    const lookUps = { maxInFlight: 1, maxWaiting: 1, timeout: UNTIL_IT_HANGS.timeout / 1000 };
    module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ ...database.options, entities: [Sessions.entity], synchronize: true }),
        SessionsModule.forRoot({ pruning: false, live: { check: '1h' }, lookUps }),
        SessionsModule.forFeature(Sessions),
      ],
    })
      .setLogger(new LogCapture())
      .compile();
    await module.init();
    locker = module.get(DataSource).createQueryRunner();
  });
  afterEach(async () => {
    await locker.release();
    await module.close();
    await database.drop();
  });

  it('waits for its turn among the look-ups, and ends nobody before', async () => {
    const [gone] = [await open(), await open()];
    await module.get(DataSource).query(`DELETE FROM sessions WHERE id = '${gone}'`);
    const lookUps = await heldUp(1);
    const checked = check();
    await expect.poll(() => gauges().lookUpsWaiting, UNTIL_IT_HANGS).toBe(1);
    expect([gauges().lookUpsInFlight, ended.mock.calls]).toEqual([1, []]);
    await locker.query(LOCK[type][1]);
    await Promise.all([lookUps.answers, checked]);
    expect(ended.mock.calls).toEqual([[gone]]);
  });

  it('is given up where as many wait as may, and ends nobody', async () => {
    const gone = await open();
    await module.get(DataSource).query(`DELETE FROM sessions WHERE id = '${gone}'`);
    const lookUps = await heldUp(2);
    await check();
    expect(ended).not.toHaveBeenCalled();
    await locker.query(LOCK[type][1]);
    await lookUps.answers;
    await check();
    expect(ended.mock.calls).toEqual([[gone]]);
  });
});
