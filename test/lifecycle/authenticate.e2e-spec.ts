import { inspect } from 'node:util';
import { Logger } from '@nestjs/common';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { digestToken, type DigestScheme, SessionsTable, type SessionsService } from '@app/sessions';
import { describeDatabases } from '../support/databases.js';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { useApplication } from '../support/application.js';
import { DAY } from '../support/clock.js';
import { errorOf, Sessions } from '../support/sessions.js';

class ApiKeys extends SessionsTable({ table: 'api_keys', tokenPrefix: 'key', sessionTtl: null }) {}
class Salted extends SessionsTable({ table: 'salted', hashingAlgorithm: 'sha512', secretSalt: 'your-secret-salt' }) {}
class Sha3 extends SessionsTable({ table: 'sha3', hashingAlgorithm: 'sha3-256', authTokenLength: 22 }) {}
class Blake extends SessionsTable({ table: 'blake', hashingAlgorithm: 'blake2b512' }) {}
class Clear extends SessionsTable({ table: 'clear', hashingAlgorithm: null }) {}
class Legacy extends SessionsTable({ table: 'legacy', hashingAlgorithm: 'sha1', secretSalt: 'old' }) {}
class Unique extends SessionsTable({ table: 'one_each', extraFields: { userId: { type: 'string', unique: true } } }) {}

const TABLES = [
  ['sessions', Sessions, { algorithm: 'sha256' }],
  ['api_keys', ApiKeys, { algorithm: 'sha256' }],
  ['salted', Salted, { algorithm: 'sha512', salt: 'your-secret-salt' }],
  ['sha3', Sha3, { algorithm: 'sha3-256' }],
  ['blake', Blake, { algorithm: 'blake2b512' }],
  ['clear', Clear, { algorithm: null }],
  ['legacy', Legacy, { algorithm: 'sha256', salt: 'old' }],
] as const satisfies readonly (readonly [string, unknown, DigestScheme])[];

const DIGEST = 'authTokenDigest';

describeDatabases('tokens', (name) => {
  const app = useApplication(name, {
    tables: [Sessions, ApiKeys, Salted, Sha3, Blake, Clear, Legacy, Unique],
    options: { defaultTable: 'sessions' },
  });
  let sessions: Sessions;
  beforeAll(() => {
    sessions = app.get(Sessions);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** Makes a row one of another token, as another program that writes to the table could. */
  const setDigest = async (table: typeof Sessions | typeof Legacy, id: string, digest: string): Promise<void> => {
    const { adapter, entity } = app.get(SessionsRegistry).store(table);
    await adapter.execute(adapter.prepare('updateAll', entity, { where: { id }, set: { [DIGEST]: digest } }));
  };

  describe.each(TABLES)('of the table "%s"', (table, token, scheme) => {
    const service = (): SessionsService => app.get<SessionsService>(token as never);
    const create = (): ReturnType<SessionsService['create']> => service().create({ userId: 'u1' });

    it('are stored as their digest only (PARITY 1.2, 1.5)', async () => {
      const { authToken } = await (table === 'sessions' ? create() : service().create({}));
      expect(await app.rawDigests(table, DIGEST)).toEqual([digestToken(authToken, scheme)]);
    });

    it('are found again, and nothing else is', async () => {
      const session = await (table === 'sessions' ? create() : service().create({}));
      expect(await service().authenticate(session.authToken)).toEqual(session);
      expect(await service().authenticate(`${session.authToken}0`)).toBeNull();
      expect(await service().authenticate(session.authToken.slice(0, -1))).toBeNull();
      expect(await service().authenticate(session.authToken.toUpperCase())).toBeNull();
    });
  });

  it('have the length and the prefix of their table (PARITY 1.4)', async () => {
    expect((await sessions.create({ userId: 'u1' })).authToken).toMatch(/^[\w-]{64}$/);
    expect((await app.get(Sha3).create({})).authToken).toMatch(/^[\w-]{22}$/);
    expect((await app.get(ApiKeys).create({})).authToken).toMatch(/^key_[A-Za-z0-9]{49}$/);
  });

  it('are read whatever their length, which is that of new ones only (PARITY 1.4)', async () => {
    const authToken = 'a'.repeat(16);
    const { id } = await sessions.create({ userId: 'u1' });
    await setDigest(Sessions, id, digestToken(authToken, { algorithm: 'sha256' }));
    expect(await sessions.get({ authToken })).toMatchObject({ id });
  });

  it('of one table are none of another (ASVS 7.2.2, 9.2.2)', async () => {
    const key = await app.get(ApiKeys).create({});
    const session = await sessions.create({ userId: 'u1' });
    expect(await sessions.authenticate(key.authToken)).toBeNull();
    expect(await app.get(ApiKeys).authenticate(session.authToken)).toBeNull();
    expect(await app.get(Salted).authenticate(session.authToken)).toBeNull();
  });

  it('cannot be replaced by a stolen digest', async () => {
    await sessions.create({ userId: 'u1' });
    await app.get(Legacy).create({});
    const [digest] = await app.rawDigests('sessions', DIGEST);
    const [legacy] = await app.rawDigests('legacy', DIGEST);
    expect(await sessions.authenticate(digest)).toBeNull();
    expect(await sessions.get({ authToken: digest!, status: 'all' })).toBeNull();
    expect(await app.get(Legacy).authenticate(legacy)).toBeNull();
  });

  it.each(['sha1', 'sha256'] as const)(
    'of a legacy table are read from a row with %s (PARITY 1.4)',
    async (algorithm) => {
      const authToken = 'sample-token-of-the-seed';
      const { id } = await app.get(Legacy).create({});
      const digest = digestToken(authToken, { algorithm, salt: 'old' });
      await setDigest(Legacy, id, digest);
      expect(await app.get(Legacy).authenticate(authToken)).toMatchObject({ id });
      expect(await app.get(Legacy).get({ authToken })).toMatchObject({ id });
      expect(await app.get(Legacy).authenticate(digest)).toBeNull();
    },
  );

  describe('never show (ASVS 16.2.5)', () => {
    /** Every way by which a value becomes text in a log or in a response. */
    const shown = (value: unknown): string =>
      [
        JSON.stringify(value),
        inspect(value, { depth: 10 }),
        String(value),
        JSON.stringify({ ...(value as object) }),
      ].join();

    const secretsOf = async (authToken: string): Promise<string[]> => [
      authToken,
      digestToken(authToken, { algorithm: 'sha256' }),
      'authToken',
    ];

    it('on a created session, where the token is there for the asking', async () => {
      const session = await sessions.create({ userId: 'u1' });
      expect(session.authToken).toHaveLength(64);
      for (const secret of await secretsOf(session.authToken)) expect(shown(session)).not.toContain(secret);
      expect(Object.keys(session)).not.toContain('authToken');
      expect(structuredClone(session)).not.toHaveProperty('authToken');
    });

    it('on a session that was read in any way', async () => {
      const session = await sessions.create({ userId: 'u1' });
      app.clock.advance(2 * DAY);
      const { authToken } = session;
      const streamed: unknown[] = [];
      for await (const one of sessions.query({ authToken }).stream()) streamed.push(one);
      const read = [
        await sessions.get({ authToken }),
        await sessions.authenticate(authToken),
        await sessions.list({ authToken }),
        await sessions.update(session, { note: 'x' }),
        await sessions.refresh(session),
        await sessions.query({ authToken }).all(),
        await sessions.query({ authToken }).toQueryBuilder().getMany(),
        streamed,
      ];
      for (const secret of await secretsOf(authToken)) expect(shown(read)).not.toContain(secret);
      expect(read[0]).not.toHaveProperty('authToken');
      expect(read[0]).not.toHaveProperty(DIGEST);
    });

    it('in an error of the service', async () => {
      const { authToken, id } = await sessions.create({ userId: 'u1' });
      await sessions.create({ userId: 'u1' });
      await sessions.delete({ id });
      const errors = await Promise.all([
        errorOf(sessions.getOrFail({ authToken })),
        errorOf(sessions.get({ authToken, wrong: 1 } as never)),
        errorOf(sessions.get({ authToken, userId: 5 } as never)),
        errorOf(sessions.create({ userId: 'u1', authToken } as never)),
        errorOf(sessions.deleteOrFail({ id })),
      ]);
      for (const error of errors) expect(shown(error) + String(error.stack)).not.toContain(authToken);
    });

    it('in the error of a unique field, nor in what caused it', async () => {
      const table = app.get(Unique);
      await table.create({ userId: 'u1' });
      const [digest] = await app.rawDigests('one_each', DIGEST);
      const error = await errorOf(table.create({ userId: 'u1' }));
      expect(error).toMatchObject({ code: 'ERR_UNIQUE_CONSTRAINT', columns: ['userId'] });
      expect(shown(error)).not.toContain(digest);
      expect(shown(error)).not.toMatch(/[0-9a-f]{64}/);
    });

    it('in an error of the database', async () => {
      const { authToken } = await sessions.create({ userId: 'u1' });
      const table = app.quoted('sessions');
      const column = app.quoted('userId');
      await app.dataSource.query(`ALTER TABLE ${table} RENAME COLUMN ${column} TO ${app.quoted('gone')}`);
      try {
        for (const act of [() => sessions.get({ authToken }), () => sessions.create({ userId: 'u1' })]) {
          const error = await errorOf(act());
          expect(error.name).toBe('QueryFailedError');
          expect(shown(error) + inspect(error, { showHidden: true, depth: 10 })).not.toMatch(/[0-9a-f]{64}/);
        }
      } finally {
        await app.dataSource.query(`ALTER TABLE ${table} RENAME COLUMN ${app.quoted('gone')} TO ${column}`);
      }
    });

    it('in a log line', async () => {
      const lines: unknown[] = [];
      const methods = ['log', 'warn', 'error', 'debug', 'verbose', 'fatal'] as const;
      for (const method of methods)
        vi.spyOn(Logger.prototype, method).mockImplementation((...line) => lines.push(line));
      const { authToken } = await sessions.create({ userId: 'u1' });
      await sessions.authenticate(authToken);
      await sessions.authenticate('x'.repeat(64));
      await errorOf(sessions.create({ authToken } as never));
      expect(shown(lines)).not.toContain(authToken);
    });
  });
});
