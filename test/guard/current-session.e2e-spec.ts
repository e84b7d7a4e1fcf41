import { randomUUID } from 'node:crypto';
import {
  Controller,
  Get,
  Injectable,
  type ModuleMetadata,
  NotFoundException,
  ParseUUIDPipe,
  type PipeTransform,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Entity, PrimaryColumn } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createCurrentSession,
  CurrentSession,
  MemoryAdapter,
  OptionalSession,
  SessionGuard,
  SessionsConfigError,
  SessionsModule,
  type SessionOf,
  SessionsTable,
} from '@app/sessions';
import { describePlatforms, HttpApp } from '../support/http-app.js';
import { UserColumns } from '../support/users.js';

@Entity()
class User extends UserColumns {}

@Entity()
class Project {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  id!: string;
}

class Sessions extends SessionsTable({
  extraFields: { userId: { type: 'string', length: 36 }, user: { manyToOne: () => User, joinColumn: 'userId' } },
}) {}

class ApiKeys extends SessionsTable({
  table: 'api_keys',
  extraFields: { projectId: { type: 'string' }, project: { manyToOne: () => Project, joinColumn: 'projectId' } },
}) {}

const NAMES: Readonly<Record<string, string>> = { u1: 'Ann' };

@Injectable()
class NamePipe implements PipeTransform<string, string> {
  transform(userId: string): string {
    const name = NAMES[userId];
    if (name === undefined) throw new NotFoundException();
    return name;
  }
}

const LengthPipe: PipeTransform = { transform: (value: string) => value.length };
const KeysPipe: PipeTransform = { transform: (session?: object) => session && Object.keys(session) };

const Current = createCurrentSession<Sessions>();
const CurrentUser = (): ParameterDecorator => Current('user');

@Controller()
class Routes {
  @UseGuards(SessionGuard.for(Sessions))
  @Get('name')
  name(@CurrentSession('userId', NamePipe) name: string, @Current('userId', NamePipe, LengthPipe) length: number) {
    return { name, length };
  }

  @UseGuards(SessionGuard.for(Sessions))
  @Get('uuid')
  uuid(@CurrentSession('userId', ParseUUIDPipe) id: string) {
    return { id };
  }

  @OptionalSession()
  @UseGuards(SessionGuard.for(Sessions))
  @Get('keys')
  keys(@CurrentSession(KeysPipe) keys?: string[]) {
    return { keys };
  }

  @UseGuards(SessionGuard.for(Sessions, { relations: ['user'] }))
  @Get('user')
  user(@CurrentUser() user: User, @Current() session: SessionOf<Sessions>) {
    return { user, isTheSame: session.user === user };
  }

  @UseGuards(SessionGuard.for(Sessions, ApiKeys, { relations: ['project', 'user'] }))
  @Get('either')
  either(@CurrentSession() session: SessionOf<Sessions> | SessionOf<ApiKeys>) {
    return session;
  }
}

const imports = (adapter: MemoryAdapter): NonNullable<ModuleMetadata['imports']> => [
  SessionsModule.forRoot({ adapter, pruning: false, defaultTable: 'sessions' }),
  SessionsModule.forFeature(Sessions),
  SessionsModule.forFeature(ApiKeys),
];

describePlatforms('the session of a parameter', (platform) => {
  const adapter = new MemoryAdapter();
  let app: HttpApp;
  const get = async (path: string, userId = 'u1') => {
    const { authToken } = await app.nest.get(Sessions).create({ userId });
    return app.getAs(authToken, path);
  };
  beforeAll(async () => {
    app = await HttpApp.start(platform, { imports: imports(adapter), controllers: [Routes] });
    await adapter.insert(User, { id: 'u1', name: 'Ann' });
  });
  afterAll(() => app.close());

  it('goes through pipes, one after the other, as a parameter of the request does', async () => {
    expect(await get('/name')).toMatchObject({ status: 200, body: { name: 'Ann', length: 3 } });
    expect(await get('/name', 'u2')).toMatchObject({ status: 404 });
    const id = randomUUID();
    expect(await get('/uuid', id)).toMatchObject({ status: 200, body: { id } });
    expect(await get('/uuid')).toMatchObject({ status: 400 });
  });

  it('goes through a pipe as a whole, also where there is none', async () => {
    expect((await get('/keys')).body).toEqual({ keys: expect.arrayContaining(['id', 'userId']) });
    expect((await app.get('/keys')).body).toEqual({});
  });

  it('has the relations of its guard, such as the current user', async () => {
    expect((await get('/user')).body).toEqual({ user: { id: 'u1', name: 'Ann' }, isTheSame: true });
  });

  it('has of several relations those of its table, and none on other routes', async () => {
    const key = await app.nest.get(ApiKeys).create({ projectId: 'p1' });
    expect((await get('/either')).body).toMatchObject({ user: { name: 'Ann' } });
    expect((await get('/either')).body).not.toHaveProperty('project');
    expect((await app.getAs(key.authToken, '/either')).body).toMatchObject({ projectId: 'p1', project: null });
    expect((await get('/keys')).body).not.toMatchObject({ keys: expect.arrayContaining(['user']) });
  });
});

describe('the options of a guard', () => {
  const startOf = async (guard: Type): Promise<unknown> => {
    @UseGuards(guard)
    @Controller()
    class Guarded {}
    const module = await Test.createTestingModule({
      imports: imports(new MemoryAdapter()),
      controllers: [Guarded],
    }).compile();
    return module.init().catch((error: unknown) => error);
  };

  it('make another guard, one for each list of relations', () => {
    const loading = SessionGuard.for(Sessions, { relations: ['user'] });
    expect(SessionGuard.for(Sessions, { relations: ['user'] })).toBe(loading);
    expect(SessionGuard.for(Sessions)).not.toBe(loading);
    expect(SessionGuard.for(Sessions, { relations: [] })).toBe(SessionGuard.for(Sessions));
    expect(SessionGuard.for(Sessions, {})).toBe(SessionGuard.for(Sessions));
    expect(SessionGuard.for(Sessions, ApiKeys, { relations: ['user'] })).not.toBe(loading);
    expect(loading.name).toBe('SessionGuard(Sessions, user)');
  });

  it('are refused where they are none, with the nearest name', () => {
    const make = (options: object) => () => SessionGuard.for(Sessions, options);
    expect(make({ relation: ['user'] })).toThrow(SessionsConfigError);
    expect(make({ relation: ['user'] })).toThrow('relation is no option (did you mean relations?)');
    expect(make({ relations: 'user' })).toThrow('relations must be a list of names, not "user"');
  });

  it('end the start where no table has the relation', async () => {
    const error = await startOf(SessionGuard.for(Sessions, ApiKeys, { relations: ['user', 'usr' as 'user'] }));
    expect(error).toBeInstanceOf(SessionsConfigError);
    expect(String(error)).toContain('"usr", which none of its tables has ("sessions", "api_keys")');
  });

  it('name no relation by a definition, which is a table of its own', () => {
    const definition = { table: 'others' };
    expect(SessionGuard.for(Sessions, definition).name).toBe('SessionGuard(Sessions, others)');
  });
});
