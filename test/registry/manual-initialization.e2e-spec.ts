import { Controller, Get, UseGuards } from '@nestjs/common';
import { ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { Test } from '@nestjs/testing';
import { getDataSourceToken, TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import { type DataSource, DataSource as TypeOrmDataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type InvalidationChannel,
  Public,
  SessionGuard,
  SessionMark,
  SessionsConfigError,
  SessionsModule,
  SessionsService,
  SessionsTable,
  SessionsUnavailableError,
} from '@app/sessions';
import { inTable } from '../../libs/sessions/src/errors/messages.js';
import { entityMissing, notInitialized } from '../../libs/sessions/src/registry/messages.js';
import { createDatabase, describeDatabases, type TestDatabase } from '../support/databases.js';
import { HttpApp } from '../support/http-app.js';
import { errorOf } from '../support/sessions.js';
import { UNTIL_IT_HANGS } from '../support/until.js';
import { digestOf } from '../support/digest.js';

/** Carries messages within the process, and counts who listens. */
class Channel implements InvalidationChannel {
  connections = 0;

  async connect(heard: (text: string) => void): ReturnType<InvalidationChannel['connect']> {
    this.connections++;
    return {
      publish: async (text) => heard(text),
      close: async () => {
        this.connections--;
      },
    };
  }
}

class Sessions extends SessionsTable({
  table: 'late_sessions',
  extraFields: { userId: { type: 'string' } },
  lastUse: {},
}) {}
class Links extends SessionsTable({ table: 'late_links', dataSource: 'links' }) {}

const TABLES = [Sessions.entity, SessionMark];

@UseGuards(SessionGuard)
@Controller()
class Routes {
  @Get('me')
  me(): object {
    return {};
  }

  @Public()
  @Get('public')
  open(): object {
    return {};
  }
}

describeDatabases('tables of a data source that the application initialises itself', (name) => {
  let database: TestDatabase;
  let channel: Channel;
  let app: HttpApp | undefined;
  beforeEach(async () => {
    database = await createDatabase(name);
    channel = new Channel();
  });
  afterEach(async () => {
    await app?.close();
    app = undefined;
    await database.drop();
  });

  const dataSource = (): DataSource => app!.nest.get<DataSource>(getDataSourceToken());
  const sessions = (): Sessions => app!.nest.get(Sessions);
  const jobs = (): string[] => app!.nest.get(SchedulerRegistry).getIntervals();

  async function start(options: Partial<TypeOrmModuleOptions> = {}, providers: object[] = []): Promise<void> {
    const given = { ...database.options, entities: TABLES, synchronize: true, manualInitialization: true, ...options };
    app = await HttpApp.start('express', {
      imports: [
        TypeOrmModule.forRoot(given as TypeOrmModuleOptions),
        ScheduleModule.forRoot(),
        SessionsModule.forRoot({ cache: { channel } }),
        SessionsModule.forFeature(Sessions),
      ],
      controllers: [Routes],
      providers,
    });
  }

  it('refuse every call before, as not available now', async () => {
    await start();
    const service = sessions();
    const one = { id: '01890a5d-ac96-774b-bcce-b302099a8057' };
    const calls = [
      () => service.create({ userId: 'u1' }),
      () => service.authenticate('a'.repeat(64)),
      () => service.get(one),
      () => service.list(),
      () => service.query().all(),
      () => service.count(),
      () => service.update(one, { userId: 'u2' }),
      () => service.revoke(one),
      () => service.deleteAll({ userId: 'u1' }),
      () => service.deleteExpired(),
      () => app!.nest.get(SessionsService).count(),
    ];
    for (const call of calls) {
      const error = await errorOf(call());
      expect(error).toBeInstanceOf(SessionsUnavailableError);
      expect(error.message).toContain(notInitialized('default'));
    }
  });

  it('have their requests answered with 503, and those of public routes as ever', async () => {
    await start();
    const answer = await app!.getAs('a'.repeat(64), '/me');
    expect(answer).toMatchObject({ status: 503, body: { errorCode: 'ERR_SESSION_UNAVAILABLE' } });
    expect(await app!.get('/me')).toMatchObject({ status: 401 });
    expect(await app!.get('/public')).toMatchObject({ status: 200 });
  });

  it('open when that is done, with their expiry job and their near cache', async () => {
    const earlier = await new TypeOrmDataSource({
      ...database.options,
      entities: TABLES,
      synchronize: true,
    }).initialize();
    const ended = {
      id: '01890a5d-ac96-774b-bcce-b302099a8057',
      userId: 'u0',
      authTokenDigest: digestOf('x'),
      data: {},
    };
    const past = new Date('2020-01-01T00:00:00Z');
    await earlier
      .getRepository(Sessions.entity)
      .insert({ ...ended, expiresAt: past, createdAt: past, updatedAt: past });
    await earlier.destroy();
    await start();
    expect([jobs(), channel.connections]).toEqual([[], 0]);

    await dataSource().initialize();
    const { authToken } = await sessions().create({ userId: 'u1' });
    expect(await app!.getAs(authToken, '/me')).toMatchObject({ status: 200 });
    expect(jobs()).toEqual(['nest-sessions:prune:late_sessions']);
    await vi.waitFor(async () => {
      expect(await sessions().count({ status: 'all' })).toBe(1);
      expect(channel.connections).toBe(1);
    }, UNTIL_IT_HANGS);
  });

  it('open before the start, where a provider initialises it', async () => {
    const initialized = {
      provide: 'initialized',
      useFactory: async (source: DataSource) => source.initialize(),
      inject: [getDataSourceToken()],
    };
    await start({}, [initialized]);
    const { authToken } = await sessions().create({ userId: 'u1' });
    expect(await app!.getAs(authToken, '/me')).toMatchObject({ status: 200 });
    expect(jobs()).toHaveLength(1);
    await vi.waitFor(() => expect(channel.connections).toBe(1), UNTIL_IT_HANGS);
  });

  it('go on waiting where it fails, until it does not', async () => {
    await start();
    const connect = vi.spyOn(dataSource().driver, 'connect').mockRejectedValueOnce(new Error('no route'));
    await expect(dataSource().initialize()).rejects.toThrow('no route');
    expect(connect).toHaveBeenCalledOnce();
    expect(await errorOf(sessions().count())).toBeInstanceOf(SessionsUnavailableError);
    await dataSource().initialize();
    expect(await sessions().count()).toBe(0);
  });

  it('let the application end that never did it', async () => {
    await start();
    await expect(app!.close()).resolves.toBeUndefined();
    app = undefined;
    expect(channel.connections).toBe(0);
  });
});

describe('a data source that is initialised late', () => {
  const OPTIONS = { type: 'better-sqlite3', database: ':memory:', synchronize: true } as const;

  it('says then what is wrong with its tables, and so do their calls', async () => {
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ ...OPTIONS, entities: [SessionMark], manualInitialization: true }),
        SessionsModule.forRoot({ pruning: false }),
        SessionsModule.forFeature(Sessions),
      ],
    }).compile();
    await module.init();
    const problems = [inTable('late_sessions', entityMissing('default', 'Sessions'))];
    const late = module.get<DataSource>(getDataSourceToken());
    for (const call of [() => late.initialize(), () => module.get(Sessions).count()]) {
      const error = await errorOf(call());
      expect(error).toBeInstanceOf(SessionsConfigError);
      expect(error['problems']).toEqual(problems);
    }
    await module.close();
  });

  it('holds up no table of another one', async () => {
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ ...OPTIONS, entities: TABLES }),
        TypeOrmModule.forRoot({ ...OPTIONS, name: 'links', entities: [Links.entity], manualInitialization: true }),
        SessionsModule.forRoot({ pruning: false, defaultTable: Sessions }),
        SessionsModule.forFeature([Sessions, Links]),
      ],
    }).compile();
    await module.init();
    expect(await module.get(Sessions).count()).toBe(0);
    expect((await errorOf(module.get(Links).count())).message).toContain(notInitialized('links'));
    await module.get<DataSource>(getDataSourceToken('links')).initialize();
    expect(await module.get(Links).count()).toBe(0);
    await module.close();
  });
});
