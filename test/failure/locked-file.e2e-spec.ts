import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestToken, SessionsTable } from '@app/sessions';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { useApplication } from '../support/application.js';
import { at, DAY } from '../support/clock.js';

class Sessions extends SessionsTable({ lastUse: true }) {}

/** For as long as this other writes wait. */
const WAIT_MS = 5000;

describe.each(['a transaction of the application', 'another process'])('while %s writes on SQLite', (who) => {
  const app = useApplication('sqlite', {
    tables: [Sessions],
    options: { keys: [{ id: 'k1', secret: 'a key of forty bytes or so, or of forty-one' }] },
  });
  let other: DataSource;
  beforeEach(async () => {
    const { database } = app.dataSource.options as { database: string };
    other = await new DataSource({ type: 'better-sqlite3', database }).initialize();
  });
  afterEach(() => other.destroy());

  const sessions = (): Sessions => app.get(Sessions);
  const stored = async ({ id }: { id: string }) => (await sessions().list({ id }))[0];

  async function meanwhile(fn: () => Promise<void>): Promise<void> {
    const writing = who === 'another process' ? other : app.dataSource;
    await writing.transaction(async (manager) => {
      await manager.query('UPDATE sessions SET id = id');
      const begin = performance.now();
      await fn();
      expect(performance.now() - begin).toBeLessThan(WAIT_MS);
    });
  }

  it('a session is let in with the end that it has, and extended later', async () => {
    const { authToken, ...session } = await sessions().create({});
    app.clock.advance(2 * DAY);
    await meanwhile(async () => {
      expect(await sessions().authenticate(authToken)).toEqual(session);
    });
    expect(await sessions().authenticate(authToken)).toMatchObject({ expiresAt: at(9 * DAY) });
  });

  it('a session gets its newer digest, and its last use, later', async () => {
    const { authToken, ...session } = await sessions().create({});
    const { adapter, entity, lastUse } = app.get(SessionsRegistry).store(Sessions);
    const older = { authTokenDigest: digestToken(authToken, { algorithm: 'sha256' }) };
    await adapter.update(entity, older, { id: session.id });
    await meanwhile(async () => {
      expect(await sessions().authenticate(authToken)).toEqual(session);
      await lastUse!.flush();
    });
    expect(await stored(session)).toMatchObject({ lastUsedAt: null });
    expect(await adapter.execute(adapter.prepare('all', entity, { where: older, count: true }))).toMatchObject({
      count: 1,
    });
    await sessions().authenticate(authToken);
    await lastUse!.flush();
    expect(await stored(session)).toMatchObject({ lastUsedAt: app.clock.now });
    expect(await adapter.execute(adapter.prepare('all', entity, { where: older, count: true }))).toMatchObject({
      count: 0,
    });
  });
});
