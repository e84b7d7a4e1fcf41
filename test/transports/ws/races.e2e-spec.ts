import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { SettableClock } from '../../../libs/sessions/src/testing/index.js';
import { rounds } from '../../races/rounds.js';
import { createDatabase, describeDatabases, type TestDatabase } from '../../support/databases.js';
import { UNTIL_IT_HANGS } from '../../support/until.js';
import { Sessions, SocketApp } from './socket-app.js';
import { describePlatforms } from './test-sockets.js';

const CLIENTS = rounds(500);
const AT_ONCE = 25;

/** Does something for each of the clients, some of them at once. */
async function forEach(fn: (i: number) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < CLIENTS; from += AT_ONCE)
    await Promise.all(Array.from({ length: AT_ONCE }, async (_, i) => fn(from + i)));
}

/** Lets a random number of turns of the event loop go by, within which a handshake begins and ends. */
async function sometime(): Promise<void> {
  for (let turns = Math.floor(Math.random() * 60); turns > 0; turns--) await setImmediate();
}

describeDatabases('handshakes that race, with sessions', (name) =>
  describePlatforms('of sockets', (platform) => {
    let database: TestDatabase;
    let app: SocketApp;
    beforeAll(async () => {
      database = await createDatabase(name);
      app = await SocketApp.start(platform, database, new SettableClock());
    });
    afterAll(async () => {
      await app.close();
      await database.drop();
    });

    const tokens = async () =>
      Promise.all(Array.from({ length: CLIENTS }, async () => app.get(Sessions).create({ userId: 'ann' })));

    it(`with revocations, ${CLIENTS} of them, leave no socket open (ASVS 7.4.1)`, async () => {
      const sessions = await tokens();
      await forEach(async (i) => {
        const socket = app.open({ tokens: [sessions[i]!.authToken] });
        await sometime();
        await app.get(Sessions).revoke(sessions[i]!);
        await socket.ended;
      });
      await vi.waitFor(() => expect(app.held).toBe(0), UNTIL_IT_HANGS);
    });

    it(`with clients that leave, ${CLIENTS} of them, hold nothing`, async () => {
      const sessions = await tokens();
      await forEach(async (i) => {
        const socket = app.open({ tokens: [sessions[i]!.authToken] });
        const connection = await socket.connection;
        await sometime();
        if (i % 2) connection.resetAndDestroy();
        else connection.end();
        socket.close();
      });
      await app.open().ended;
      await vi.waitFor(() => expect(app.held).toBe(0), UNTIL_IT_HANGS);
    });
  }),
);
