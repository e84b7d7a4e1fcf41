import type { EntitySubscriberInterface } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestToken, generateToken, SessionsTable } from '@app/sessions';
import { describeDatabases } from '../support/databases.js';
import { isUpdate, QueryLog } from '../support/query-log.js';
import { describeStorages, useApplication } from '../support/application.js';

const MANY = 100;
const DAY = 86_400_000;

class Sessions extends SessionsTable({ extraFields: { number: { type: 'int' } }, rotation: true }) {}
class Unprepared extends SessionsTable({ table: 'unprepared', preparedStatements: false }) {}
/** Tokens as they are, which a collation might take for each other. */
class Clear extends SessionsTable({ table: 'clear', hashingAlgorithm: null }) {}
class Apart extends SessionsTable({ table: 'apart', coalesceLookUps: false }) {}

const SETUP = { tables: [Sessions, Unprepared, Clear, Apart], options: { defaultTable: 'sessions' } };

describeStorages('lookups of many tokens at once', (name) => {
  const app = useApplication(name, SETUP);

  const begin = (count = MANY) =>
    Promise.all(Array.from({ length: count }, (_, number) => app.get(Sessions).create({ number })));

  it('give each request the session of its own token, and nothing for others', async () => {
    const sessions = await begin();
    const tokens = sessions.flatMap(({ authToken }) => [authToken, generateToken({ length: 64 }), '?']);
    const found = await Promise.all(tokens.map((token) => app.get(Sessions).authenticate(token)));
    expect(found.map((session) => session?.number)).toEqual(sessions.flatMap((_, i) => [i, undefined, undefined]));
  });

  it('take no token for another one that only looks like it', async () => {
    const tokens = await Promise.all(
      Array.from({ length: 20 }, async () => (await app.get(Clear).create({})).authToken),
    );
    const similar = tokens.flatMap((token) => [token, token.toLowerCase(), token.toUpperCase()]);
    const found = await Promise.all(similar.map((token) => app.get(Clear).authenticate(token)));
    expect(found.map((session) => session !== null)).toEqual(tokens.flatMap(() => [true, false, false]));
  });

  it('give requests with the same token a session each, which they may change', async () => {
    const { authToken } = await app.get(Sessions).create({ number: 1, data: { device: { name: 'phone' } } });
    const found = await Promise.all(Array.from({ length: 20 }, () => app.get(Sessions).authenticate(authToken)));
    (found[3]!.data['device'] as { name: string }).name = 'changed';
    const names = found.map((session) => (session!.data['device'] as { name: string }).name);
    expect(names.filter((it) => it === 'phone')).toHaveLength(19);
  });

  it('refuse every session whose revocation was done before they began, whatever is under way (ASVS 7.4.1)', async () => {
    const sessions = await begin();
    const late = sessions.map(async (session) => {
      await app.get(Sessions).revoke(session);
      return app.get(Sessions).authenticate(session.authToken);
    });
    const early = sessions.map(({ authToken }) => app.get(Sessions).authenticate(authToken));
    expect(await Promise.all(late)).toEqual(sessions.map(() => null));
    await Promise.all(early);
  });

  it('find a token that was replaced, within the time of grace', async () => {
    const sessions = await begin(20);
    await Promise.all(sessions.map((session) => app.get(Sessions).rotate(session)));
    const found = await Promise.all(sessions.map(({ authToken }) => app.get(Sessions).authenticate(authToken)));
    expect(found.map((session) => session?.id)).toEqual(sessions.map(({ id }) => id));
  });
});

describeDatabases('the statements of lookups', (name) => {
  const queries = new QueryLog();
  const app = useApplication(name, SETUP);
  beforeEach(() => {
    app.dataSource.setOptions({ logger: queries });
  });
  afterEach(() => {
    queries.onQuery = undefined;
  });

  it.runIf(name !== 'sqlite')('are few where many come at once, one for one that comes alone', async () => {
    const sessions = await Promise.all(Array.from({ length: MANY }, () => app.get(Sessions).create({ number: 1 })));
    const all = () => Promise.all(sessions.map(({ authToken }) => app.get(Sessions).authenticate(authToken)));
    // One alone, then 50 and 49 together.
    expect(await queries.countOf(all)).toBe(3);
    expect(await queries.countOf(() => app.get(Sessions).authenticate(sessions[0]!.authToken))).toBe(1);
  });

  it('are one for each where they are not to travel together', async () => {
    const sessions = await Promise.all(Array.from({ length: MANY }, () => app.get(Apart).create({})));
    const all = () => Promise.all(sessions.map(({ authToken }) => app.get(Apart).authenticate(authToken)));
    expect(await queries.countOf(all)).toBe(MANY);
  });

  it('are followed by one extension for all that travelled together, however many requests of a session find it due', async () => {
    const session = await app.get(Sessions).create({ number: 1 });
    app.clock.advance(2 * DAY);
    const before = queries.statements.length;
    const found = await Promise.all(
      Array.from({ length: 20 }, () => app.get(Sessions).authenticate(session.authToken)),
    );
    expect(found.map((it) => it?.expiresAt)).toEqual(found.map(() => new Date(session.expiresAt!.getTime() + 2 * DAY)));
    const writes = queries.statements.slice(before).filter(isUpdate);
    // One for the first, which travels alone, and one more where the others read the session before that was written.
    expect(writes.length).toBeLessThanOrEqual(2);
  });

  it('travel in the transaction of the caller, and alone', async () => {
    await app.dataSource.transaction(async (manager) => {
      const { id, authToken } = await app.get(Sessions).create({ number: 1 }, { manager });
      expect(await app.get(Sessions).authenticate(authToken, { manager })).toMatchObject({ id });
      const twice = () => Promise.all([1, 2].map(() => app.get(Sessions).authenticate(authToken, { manager })));
      expect(await queries.countOf(twice)).toBe(2);
    });
  });

  it('fail without a token or a digest in what is thrown (ASVS 16.2.5)', async () => {
    const { authToken } = await app.get(Sessions).create({ number: 1 });
    await app.dataSource.query('ALTER TABLE sessions RENAME TO elsewhere');
    const error = await app
      .get(Sessions)
      .authenticate(authToken)
      .catch((thrown: Error) => thrown);
    await app.dataSource.query('ALTER TABLE elsewhere RENAME TO sessions');
    expect(error).toBeInstanceOf(Error);
    const text = `${(error as Error).message} ${JSON.stringify(error)}`;
    expect(text).toMatch(/sessions/);
    for (const secret of [authToken, digestToken(authToken, { algorithm: 'sha256' })])
      expect(text).not.toContain(secret);
    expect(await app.get(Sessions).authenticate(authToken)).not.toBeNull();
  });

  it('are told as slow where TypeORM tells slow queries', async () => {
    const { authToken } = await app.get(Sessions).create({ number: 1 });
    const slow: string[] = [];
    queries.logQuerySlow = (...[, statement]: [number?, string?]) => void slow.push(statement!);
    // Slower than that is every statement.
    app.dataSource.setOptions({ maxQueryExecutionTime: -1 });
    await app.get(Sessions).authenticate(authToken);
    app.dataSource.setOptions({ maxQueryExecutionTime: undefined });
    queries.logQuerySlow = () => undefined;
    expect(slow).toEqual(queries.statements.slice(-1));
  });

  it('are seen by a subscriber that listens to queries', async () => {
    const { authToken } = await app.get(Sessions).create({ number: 1 });
    const seen: string[] = [];
    const subscriber: EntitySubscriberInterface = { beforeQuery: ({ query }) => void seen.push(query) };
    app.dataSource.subscribers.push(subscriber);
    try {
      await app.get(Sessions).authenticate(authToken);
    } finally {
      app.dataSource.subscribers.splice(app.dataSource.subscribers.indexOf(subscriber), 1);
    }
    expect(seen).toHaveLength(1);
  });

  if (name === 'postgres') {
    describe('on PostgreSQL', () => {
      /** Runs in one transaction, and so on one connection. */
      const kept = (table: typeof Sessions | typeof Unprepared, token: string) =>
        app.dataSource.transaction(async (manager) => {
          await app.get<Sessions>(table as never).authenticate(token, { manager });
          return manager.query<{ name: string; statement: string }[]>(
            'SELECT name, statement FROM pg_prepared_statements',
          );
        });

      it('are kept prepared on their connection, unless that is switched off', async () => {
        const session = await app.get(Sessions).create({ number: 1 });
        const statements = await kept(Sessions, session.authToken);
        expect(
          statements.filter(({ statement }) => /FROM "sessions" .*"authTokenDigest" = \$1/.test(statement)),
        ).toEqual([
          {
            name: expect.stringMatching(/^nest_sessions:sessions:authenticate:[\w-]{12}$/) as string,
            statement: expect.any(String) as string,
          },
        ]);
        const { authToken } = await app.get(Unprepared).create({});
        const others = await kept(Unprepared, authToken);
        expect(others.filter(({ statement }) => statement.includes('"unprepared"'))).toEqual([]);
      });

      it('go on where a migration has changed the table', async () => {
        const { id, authToken } = await app.get(Sessions).create({ number: 7 });
        const found = () => app.get(Sessions).authenticate(authToken);
        expect(await found()).toMatchObject({ id, number: 7 });
        await app.dataSource.query('ALTER TABLE sessions ALTER COLUMN number TYPE bigint');
        expect(await found()).toMatchObject({ id });
        await app.dataSource.query('ALTER TABLE sessions ALTER COLUMN number TYPE integer');
        expect(await found()).toMatchObject({ id, number: 7 });
      });

      it('go on, unprepared, where a pooler has mixed the connections', async () => {
        const { id, authToken } = await app.get(Apart).create({});
        const many = () => Promise.all(Array.from({ length: 50 }, () => app.get(Apart).authenticate(authToken)));
        await many();
        // As if each connection were another one: the driver takes its statements for prepared, and the server has none.
        const connections = Array.from({ length: 10 }, () => app.dataSource.createQueryRunner());
        for (const connection of connections) await connection.query('DEALLOCATE ALL');
        for (const connection of connections) await connection.release();
        const found = await many();
        expect(found.map((session) => session?.id)).toEqual(found.map(() => id));
      });
    });
  }
});
