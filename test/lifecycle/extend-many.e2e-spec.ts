import { afterEach, beforeEach, expect, it } from 'vitest';
import { SessionsTable } from '@app/sessions';
import { describeDatabases } from '../support/databases.js';
import { isUpdate, QueryLog } from '../support/query-log.js';
import { describeStorages, useApplication } from '../support/application.js';
import { at, HOUR, MINUTE, SECOND } from '../support/clock.js';

const MANY = 100;
const ROUNDS = 10;

class Sessions extends SessionsTable({
  sessionTtl: '1h',
  extendSessionStaleTime: '10m',
  extraFields: { number: { type: 'int' } },
  ownLimits: true,
  revocation: true,
}) {}
class Apart extends SessionsTable({ table: 'apart', sessionTtl: '1h', coalesceLookUps: false }) {}

const SETUP = { tables: [Sessions, Apart], options: { defaultTable: 'sessions' } };

describeStorages('extensions of many sessions at once', (name) => {
  const app = useApplication(name, SETUP);
  const begin = () => Promise.all(Array.from({ length: MANY }, (_, number) => app.get(Sessions).create({ number })));
  const authenticateAll = (sessions: readonly { authToken: string }[]) =>
    Promise.all(sessions.map(({ authToken }) => app.get(Sessions).authenticate(authToken)));

  it('give each session its new end, and nothing else', async () => {
    const sessions = await begin();
    app.clock.advance(30 * MINUTE);
    const extended = await authenticateAll(sessions);
    const expected = sessions.map((session) => ({ ...session, expiresAt: at(1.5 * HOUR), updatedAt: at(30 * MINUTE) }));
    expect(extended).toEqual(expected);
    const stored = await app.get(Sessions).list({}, { order: { number: 'ASC' } });
    expect(stored).toEqual(expected);
  });

  it('give each the end that its own limits have', async () => {
    const own = [undefined, '20m', '2h', '30m'] as const;
    const sessions = await Promise.all(
      Array.from({ length: 40 }, (_, number) => {
        const ttl = own[number % own.length];
        return app.get(Sessions).create({ number }, { absoluteTtl: '70m', ...(ttl && { ttl }) });
      }),
    );
    app.clock.advance(15 * MINUTE);
    const extended = await authenticateAll(sessions);
    const minutes = extended.map((session) => (session!.expiresAt!.getTime() - at(0).getTime()) / MINUTE);
    expect(minutes).toEqual(sessions.map((_, i) => [70, 35, 70, 45][i % own.length]));
  });

  it('revive none of those that were revoked while they were on their way (ASVS 7.4.1)', async () => {
    const sessions = await begin();
    app.clock.advance(30 * MINUTE);
    const answers = authenticateAll(sessions);
    const revoked = sessions.filter((_, i) => i % 3 === 0);
    for (const session of revoked) await app.get(Sessions).revoke(session);
    await answers;
    expect(await authenticateAll(revoked)).toEqual(revoked.map(() => null));
    expect(await app.get(Sessions).count()).toBe(MANY - revoked.length);
  });

  it('tell of each session once', async () => {
    const sessions = await begin();
    const told: number[] = [];
    const listening = app.get(Sessions).events.subscribe((event) => {
      if (event.type === 'refreshed') told.push(event.session.number);
    });
    // Requests of a session that come a little later may read what the first of them has not yet changed.
    for (let i = 0; i < ROUNDS; i++) {
      told.length = 0;
      app.clock.advance(30 * MINUTE);
      await authenticateAll([...sessions, ...sessions, ...sessions]);
      expect(told.toSorted((a, b) => a - b)).toEqual(sessions.map(({ number }) => number));
    }
    listening.unsubscribe();
  });
});

describeDatabases('the statements of extensions', (name) => {
  const queries = new QueryLog();
  const app = useApplication(name, SETUP);
  beforeEach(() => {
    app.dataSource.setOptions({ logger: queries });
  });
  afterEach(() => {
    queries.onQuery = undefined;
  });

  const updatesOf = async (fn: () => Promise<unknown>): Promise<number> => {
    const before = queries.statements.length;
    await fn();
    return queries.statements.slice(before).filter(isUpdate).length;
  };

  it.runIf(name !== 'sqlite')('are few where many come at once, one for one that comes alone', async () => {
    const sessions = await Promise.all(
      Array.from({ length: MANY }, (_, number) => app.get(Sessions).create({ number })),
    );
    const all = () => Promise.all(sessions.map(({ authToken }) => app.get(Sessions).authenticate(authToken)));
    app.clock.advance(30 * MINUTE);
    expect(await updatesOf(all)).toBeLessThan(MANY / 10);
    app.clock.advance(30 * MINUTE);
    expect(await updatesOf(() => app.get(Sessions).authenticate(sessions[0]!.authToken))).toBe(1);
    app.clock.advance(SECOND);
    expect(await updatesOf(() => app.get(Sessions).authenticate(sessions[0]!.authToken))).toBe(0);
  });

  it('are one for each where they are not to travel together', async () => {
    const sessions = await Promise.all(Array.from({ length: 20 }, () => app.get(Apart).create({})));
    app.clock.advance(50 * MINUTE);
    const all = () => Promise.all(sessions.map(({ authToken }) => app.get(Apart).authenticate(authToken)));
    expect(await updatesOf(all)).toBe(20);
  });
});
