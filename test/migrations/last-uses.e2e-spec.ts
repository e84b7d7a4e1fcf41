import { DataSource } from 'typeorm';
import { describe, expect, inject, it, vi } from 'vitest';
import { createSessionsTable, SessionsTable, TypeOrmAdapter } from '@app/sessions';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { useApplication } from '../support/application.js';
import { MINUTE } from '../support/clock.js';
import { digestOf } from '../support/digest.js';
import { UNTIL_IT_HANGS } from '../support/until.js';
import { up } from './migration-fixture.js';

const ROWS = 3000;
/** Of a page's rows, of which there are some 50, about as many as are used in one second. */
const EVERY = 20;
const ROUNDS = 5;

class Used extends SessionsTable({
  table: 'used',
  extraFields: { userId: { type: 'string', index: true } },
  lastUse: { ip: true },
}) {}

describe.runIf(inject('postgresUrl'))('last uses of a table that createSessionsTable has made on PostgreSQL', () => {
  const app = useApplication('postgres', {
    tables: [Used],
    synchronize: false,
    prepare: async ({ options }) => {
      const dataSource = await new DataSource({ ...options, entities: [Used.entity] }).initialize();
      await up(dataSource, Used);
      await dataSource.destroy();
    },
  });

  it('write no index, wherever the rows are', async () => {
    const { lastUse } = app.get(SessionsRegistry).store(Used);
    const adapter = new TypeOrmAdapter(app.dataSource);
    const sessions = Array.from({ length: ROWS }, () => {
      const now = app.clock.now;
      const id = String(adapter.autogenerate('binaryId'));
      return { id, authTokenDigest: digestOf(id), data: {}, userId: 'ann', createdAt: now, updatedAt: now };
    });
    await adapter.insertAll(Used.entity, sessions);
    for (let round = 0; round < ROUNDS; round++) {
      app.clock.advance(MINUTE);
      const used = sessions.filter((_, i) => i % EVERY === round);
      for (const { id } of used) lastUse!.record({ id, lastUsedAt: null } as never, { ip: '192.0.2.7' });
      await lastUse!.flush();
    }
    // What a connection has counted is told when it ends.
    await app.dataSource.destroy();
    await app.dataSource.initialize();
    const updated = (ROUNDS * ROWS) / EVERY;
    const counts = async (): Promise<{ all: number; hot: number }> =>
      (
        await app.dataSource.query(
          `SELECT n_tup_upd::int AS all, n_tup_hot_upd::int AS hot FROM pg_stat_user_tables WHERE relname = 'used'`,
        )
      )[0];
    await vi.waitUntil(async () => (await counts()).all === updated, UNTIL_IT_HANGS);
    expect(await counts()).toEqual({ all: updated, hot: updated });
  });

  it('have their room in new tables only: one that is there keeps its own', async () => {
    const runner = app.dataSource.createQueryRunner();
    const options = async (): Promise<unknown> =>
      (await app.dataSource.query(`SELECT reloptions FROM pg_class WHERE relname = 'used'`))[0].reloptions;
    expect(await options()).toEqual(['fillfactor=85']);
    await runner.query('ALTER TABLE used SET (fillfactor = 70)');
    await createSessionsTable(runner, Used);
    expect(await options()).toEqual(['fillfactor=70']);
    await runner.release();
  });
});
