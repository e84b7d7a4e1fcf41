import { inspect } from 'node:util';
import { Controller, Get, Post, UseGuards } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type QueryFailedError } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { digestToken, SessionGuard, SessionsConfigError, SessionsModule, SessionsTable } from '@app/sessions';
import { cannotWork, inTable } from '../../libs/sessions/src/errors/messages.js';
import { tableMissing } from '../../libs/sessions/src/adapters/typeorm/messages.js';
import { lookUpFailed } from '../../libs/sessions/src/guard/messages.js';
import { down, up } from '../migrations/migration-fixture.js';
import { createDatabase, describeDatabases, type TestDatabase } from '../support/databases.js';
import { HttpApp } from '../support/http-app.js';
import { errorOf } from '../support/sessions.js';
import { CALLS, type Session, Sessions } from './calls.js';

/** For the database's own words. */
const REASON = '…';
/** What is said before them. */
const SAID = tableMissing(REASON).split(REASON)[0]!;

/** Sign-ins of this one travel together. */
class Joined extends SessionsTable({ table: 'joined' }) {}
/** Its name begins with that of another one, which is there. */
class Others extends SessionsTable({ table: 'joined_others' }) {}

@Controller()
class Routes {
  constructor(private readonly sessions: Sessions) {}

  @Post('login')
  async login(): Promise<object> {
    const { authToken } = await this.sessions.create({ userId: 'ann' });
    return { authToken };
  }

  @UseGuards(SessionGuard)
  @Get('me')
  me(): object {
    return {};
  }
}

describeDatabases('a table that no migration has created', (name) => {
  let database: TestDatabase;
  let app: HttpApp;
  let session: Session;
  beforeAll(async () => {
    database = await createDatabase(name);
    app = await HttpApp.start('express', {
      imports: [
        TypeOrmModule.forRoot({ ...database.options, autoLoadEntities: true }),
        SessionsModule.forRoot({ pruning: false, defaultTable: Sessions }),
        SessionsModule.forFeature([Sessions, Joined, Others]),
      ],
      controllers: [Routes],
    });
    await up(dataSource(), Others);
    await up(dataSource(), Sessions);
    session = await app.nest.get(Sessions).create({ userId: 'ann' });
    await down(dataSource(), Sessions);
  });
  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  const dataSource = (): DataSource => app.nest.get(DataSource);
  const secrets = (): string[] => [session.authToken, digestToken(session.authToken, { algorithm: 'sha256' })];

  /** What an error says, or what it should not be. */
  function problemOf(error: Error): unknown {
    if (!(error instanceof SessionsConfigError) || error.statusCode !== undefined) return error;
    const shown = `${error.message} ${inspect(error, { depth: 10 })}`;
    if (secrets().some((secret) => shown.includes(secret))) return shown;
    const { message } = (error.cause as QueryFailedError).driverError;
    return error.problems[0]!.replace(message, REASON);
  }

  const missing = (table: string): string => inTable(table, tableMissing(REASON));

  const asking = Object.entries(CALLS).filter(([, { catalogue }]) => !catalogue);

  it('makes every call that needs it an error that names the table and the ways out', async () => {
    for (const [_, call] of asking) {
      const error = await errorOf(call.run(app.nest.get(Sessions), session, {}));
      expect(problemOf(error)).toBe(missing('sessions'));
    }
  });

  it('makes every call of a transaction the same', async () => {
    for (const [, call] of asking.filter(([, { alone }]) => !alone)) {
      const work = dataSource().transaction((manager) => call.run(app.nest.get(Sessions), session, { manager }));
      expect(problemOf(await errorOf(work))).toBe(missing('sessions'));
    }
  });

  it('makes sign-ins that travel together the same, each by its own name', async () => {
    for (let i = 0; i < 4; i++) {
      const all = Array.from({ length: 8 }, () => errorOf(app.nest.get(Joined).create({})));
      for (const error of await Promise.all(all)) expect(problemOf(error)).toBe(missing('joined'));
    }
    await app.nest.get(Others).create({});
  });

  it('is 500 where an application signs somebody in, with the name and the ways out in its log only', async () => {
    const { status, body } = await app.postForm('/login', {});
    expect([status, body]).toEqual([500, { statusCode: 500, message: 'Internal server error' }]);
    expect(app.logs.matching(inTable('sessions', SAID))).not.toEqual([]);
  });

  it('logs nobody out: the guard answers 503, and its log says the same', async () => {
    expect((await app.get('/me')).status).toBe(401);
    const { status, challenges, body } = await app.getAs(session.authToken, '/me');
    expect([status, challenges]).toEqual([503, []]);
    expect(body).toMatchObject({ errorCode: 'ERR_SESSION_UNAVAILABLE' });
    expect(app.logs.matching(lookUpFailed(cannotWork([inTable('sessions', SAID)])))).toHaveLength(1);
  });

  it('is served as soon as it is there', async () => {
    await up(dataSource(), Sessions);
    const { authToken } = await app.nest.get(Sessions).create({ userId: 'ann' });
    expect((await app.getAs(authToken, '/me')).status).toBe(200);
    await down(dataSource(), Sessions);
    const error = await errorOf(app.nest.get(Sessions).authenticate(authToken));
    expect(problemOf(error)).toBe(missing('sessions'));
  });
});
