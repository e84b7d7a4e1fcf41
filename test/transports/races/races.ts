import type { Socket as Connection } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { rounds } from '../../races/rounds.js';
import { type DatabaseName, describeDatabases } from '../../support/databases.js';
import { UNTIL_IT_HANGS } from '../../support/until.js';

const CLIENTS = rounds(500);
const AT_ONCE = 25;

/** What a client opens with a token. */
export interface Opening {
  /** Its TCP connection, as soon as there is one. */
  readonly connection: Promise<Connection>;
  /** Settles when it is refused, or was ended. */
  readonly ended: Promise<unknown>;
  /** The client gives it up. */
  close(): void;
}

/** An application in which something stays open as long as its session. */
export interface RacedApp {
  signIn(): Promise<{ readonly id: string; readonly authToken: string }>;
  revoke(id: string): Promise<unknown>;
  open(token: string): Opening;
  /** How much is held for sessions, or is at work for what is open. */
  atWork(): number;
  close(): Promise<void>;
}

/** Does something for each of the clients, some of them at once. */
async function forEach(fn: (i: number) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < CLIENTS; from += AT_ONCE)
    await Promise.all(Array.from({ length: AT_ONCE }, async (_, i) => fn(from + i)));
}

/** Lets a random number of turns of the event loop go by, within which a client is let in. */
async function sometime(): Promise<void> {
  for (let turns = Math.floor(Math.random() * 60); turns > 0; turns--) await setImmediate();
}

/** Runs the races of clients that are let in with what ends that. */
export function describeRaces(start: (database: DatabaseName) => Promise<RacedApp>): void {
  describeDatabases('that race', (name) => {
    let app: RacedApp;
    beforeAll(async () => {
      app = await start(name);
    });
    afterAll(() => app.close());

    const signIns = async () => Promise.all(Array.from({ length: CLIENTS }, async () => app.signIn()));

    it(`with revocations, ${CLIENTS} of them, leave nothing open (ASVS 7.4.1)`, async () => {
      const sessions = await signIns();
      await forEach(async (i) => {
        const { id, authToken } = sessions[i]!;
        const opening = app.open(authToken);
        await sometime();
        await app.revoke(id);
        await opening.ended;
      });
      await vi.waitFor(() => expect(app.atWork()).toBe(0), UNTIL_IT_HANGS);
    });

    it(`with clients that leave, ${CLIENTS} of them, hold nothing`, async () => {
      const sessions = await signIns();
      await forEach(async (i) => {
        const opening = app.open(sessions[i]!.authToken);
        const connection = await opening.connection;
        await sometime();
        if (i % 2) connection.resetAndDestroy();
        else connection.end();
        opening.close();
      });
      // What comes later has been let in, or refused, after all of them.
      await app.open('nobody').ended;
      await vi.waitFor(() => expect(app.atWork()).toBe(0), UNTIL_IT_HANGS);
    });
  });
}
