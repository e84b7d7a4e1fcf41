import { Controller, Get, Injectable, Module, Patch, Post, Sse, UseGuards } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import {
  ApiBasicAuth,
  ApiResponse,
  DocumentBuilder,
  type OpenAPIObject,
  type OperationObject,
  SwaggerModule,
} from '@nestjs/swagger';
import { EMPTY, type Observable } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  OptionalSession,
  Public,
  RequireFresh,
  RequireScopes,
  SessionGuard,
  SessionsConfigError,
  SessionsTable,
  type SessionsModuleOptions,
} from '@app/sessions';
import { ApiSession, createSessionsDocument } from '@app/sessions/swagger';
import { SessionsTestingModule } from '@app/sessions/testing';
import { BODIES } from '../errors/one-of-each.js';
import { describePlatforms, HttpApp, type Platform } from '../support/http-app.js';

class Sessions extends SessionsTable({ credentials: ['bearer', 'cookie'] }) {}

class ApiKeys extends SessionsTable({
  table: 'api_keys',
  schema: 'keys',
  tokenPrefix: 'key',
  scopes: ['posts:read', 'posts:write'],
  credentials: [{ header: 'X-Api-Key' }],
}) {}

class Robots extends SessionsTable({ table: 'robots and more' }) {}

@ApiSession(Sessions)
@Controller('account')
class AccountController {
  @Get()
  show(): void {}

  @ApiResponse({ status: 400, description: 'No name.', schema: { type: 'string' } })
  @ApiResponse({ status: 404, description: 'Nobody.' })
  @Post()
  change(): void {}

  @Public()
  @Get('help')
  help(): void {}

  @OptionalSession()
  @Get('greeting')
  greet(): void {}

  @RequireFresh('10m')
  @Get('secrets')
  secrets(): void {}

  @ApiSession(ApiKeys)
  @Get('upload')
  upload(): void {}
}

@RequireScopes('posts:read')
@UseGuards(SessionGuard.for(Sessions, ApiKeys))
@Controller('posts')
class PostsController {
  @RequireScopes('posts:write')
  @Patch()
  write(): void {}

  @ApiBasicAuth('basic')
  @Get()
  read(): void {}
}

/** Two controllers share this handler. */
class Shared {
  @Get()
  show(): void {}
}

@ApiSession(Robots)
@Controller('robots')
class RobotsController extends Shared {}

@Controller('open')
class OpenController extends Shared {}

@Public()
@UseGuards(SessionGuard)
@Controller('pages')
class PagesController {
  @Get()
  show(): void {}

  @ApiSession(Sessions)
  @Get('own')
  own(): void {}
}

@Injectable()
class AdminGuard extends SessionGuard {}

@Controller('rest')
class RestController {
  @ApiSession()
  @Get('default')
  byDefault(): void {}

  @UseGuards(AdminGuard)
  @Get('admin')
  admin(): void {}
}

const CONTROLLERS = [
  AccountController,
  PostsController,
  RobotsController,
  OpenController,
  PagesController,
  RestController,
];
const CONFIG = new DocumentBuilder().setTitle('Test').addBasicAuth(undefined, 'basic').build();

async function start(
  platform: Platform,
  { options, ...module }: { controllers?: unknown[]; providers?: unknown[]; options?: SessionsModuleOptions } = {},
): Promise<HttpApp> {
  const imports = [SessionsTestingModule.forTables([Sessions, ApiKeys, Robots], options)];
  @Module({ imports, controllers: CONTROLLERS, ...module } as object)
  class TestModule {}
  return HttpApp.start(platform, { imports: [TestModule] });
}

function operationAt({ paths }: OpenAPIObject, method: string, path: string): OperationObject {
  return (paths[path] as Readonly<Record<string, OperationObject>>)[method]!;
}

/** The codes of refusals in the document, by status. */
function codesOf({ responses }: OperationObject): Record<string, string[]> {
  const codes = Object.entries(responses).map(([status, response]) => [
    status,
    JSON.stringify(response).match(/ERR_\w+(?=")/g) ?? [],
  ]);
  return Object.fromEntries(codes.filter(([, found]) => found!.length > 0)) as Record<string, string[]>;
}

describePlatforms('the OpenAPI document of sessions', (platform) => {
  let app: HttpApp;
  let document: OpenAPIObject;
  beforeAll(async () => {
    app = await start(platform);
    document = createSessionsDocument(app.nest, CONFIG);
  });
  afterAll(() => app.close());

  it('has a security scheme for each place that a table takes tokens from, beside those of the application', () => {
    expect(document.components?.securitySchemes).toEqual({
      basic: { type: 'http', scheme: 'basic' },
      'sessions.bearer': {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'opaque',
        description: 'The token of a session of "sessions"',
      },
      'sessions.cookie': {
        type: 'apiKey',
        in: 'cookie',
        name: '__Host-session',
        description: 'The token of a session of "sessions"',
      },
      'keys.api_keys.x-api-key': {
        type: 'apiKey',
        in: 'header',
        name: 'x-api-key',
        description: 'The token of a session of "api_keys": key_…',
      },
      'robots_and_more.bearer': {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'opaque',
        description: 'The token of a session of "robots and more"',
      },
    });
  });

  it.each([
    ['get', '/account', [{ 'sessions.bearer': [] }, { 'sessions.cookie': [] }]],
    ['get', '/account/greeting', [{}, { 'sessions.bearer': [] }, { 'sessions.cookie': [] }]],
    ['get', '/account/upload', [{ 'keys.api_keys.x-api-key': [] }]],
    ['patch', '/posts', [{ 'sessions.bearer': [] }, { 'sessions.cookie': [] }, { 'keys.api_keys.x-api-key': [] }]],
    [
      'get',
      '/posts',
      [
        { basic: [], 'sessions.bearer': [] },
        { basic: [], 'sessions.cookie': [] },
        { basic: [], 'keys.api_keys.x-api-key': [] },
      ],
    ],
    ['get', '/robots', [{ 'robots_and_more.bearer': [] }]],
    ['get', '/rest/default', [{ 'sessions.bearer': [] }, { 'sessions.cookie': [] }]],
    ['get', '/rest/admin', [{ 'sessions.bearer': [] }, { 'sessions.cookie': [] }]],
    ['get', '/account/help', undefined],
    ['get', '/open', undefined],
    ['get', '/pages', undefined],
    ['get', '/pages/own', [{ 'sessions.bearer': [] }, { 'sessions.cookie': [] }]],
  ])('says what a request needs: %s %s', (method, path, security) => {
    expect(operationAt(document, method, path).security).toEqual(security);
  });

  it('agrees with the guards about who comes in without a token', async () => {
    for (const path of Object.keys(document.paths)) {
      const { security = [{}] } = operationAt(document, 'get', path);
      const open = security.some((requirement) => Object.keys(requirement).length === 0);
      expect([path, (await app.get(path)).status]).toEqual([path, open ? 200 : 401]);
    }
  });

  it('has the responses of the guard with their codes, and no others', () => {
    const always = { 400: ['ERR_SESSION_AMBIGUOUS'], 503: ['ERR_SESSION_UNAVAILABLE'] };
    const both = ['ERR_SESSION_TOKEN_INVALID', 'ERR_SESSION_REQUIRED'];
    expect(codesOf(operationAt(document, 'get', '/account'))).toEqual({ ...always, 401: both });
    expect(codesOf(operationAt(document, 'post', '/account'))).toEqual({
      ...always,
      401: both,
      403: ['ERR_SESSION_CROSS_ORIGIN'],
    });
    expect(codesOf(operationAt(document, 'get', '/account/greeting'))).toEqual({
      ...always,
      401: ['ERR_SESSION_TOKEN_INVALID'],
    });
    expect(codesOf(operationAt(document, 'get', '/account/secrets'))).toEqual({
      ...always,
      401: [...both, 'ERR_SESSION_NOT_FRESH'],
    });
    expect(codesOf(operationAt(document, 'patch', '/posts'))).toEqual({
      ...always,
      401: both,
      403: ['ERR_SESSION_SCOPE', 'ERR_SESSION_CROSS_ORIGIN'],
    });
    expect(codesOf(operationAt(document, 'get', '/account/help'))).toEqual({});
    expect(codesOf(operationAt(document, 'get', '/open'))).toEqual({});
  });

  it('describes the body that the guard really sends', async () => {
    const { body } = await app.get('/account');
    const { required, properties } = document.components!.schemas!['SessionRefusal'] as {
      required: string[];
      properties: Record<string, unknown>;
    };
    expect(Object.keys(body as object).toSorted()).toEqual(required.toSorted());
    expect(Object.keys(properties).toSorted()).toEqual([...required, 'errors'].toSorted());
  });

  it.each(Object.entries(BODIES))('describes the body of every error with a status: %s', (_, body) => {
    const { required, properties } = document.components!.schemas!['SessionRefusal'] as {
      required: string[];
      properties: Record<string, { type: string }>;
    };
    expect(Object.keys(body)).toEqual(expect.arrayContaining(required));
    const types = Object.entries(body).map(([name, value]) => [name, typeof value]);
    const described = types.map(([name]) => [name, properties[name!]!.type.replace('integer', 'number')]);
    expect(described).toEqual(types);
  });

  it('names the scopes and the age that a route requires', () => {
    const { responses } = operationAt(document, 'patch', '/posts');
    expect(responses[403]).toMatchObject({ description: expect.stringContaining('`posts:read`, `posts:write`') });
    const fresh = operationAt(document, 'get', '/account/secrets').responses[401];
    expect(fresh).toMatchObject({ description: expect.stringContaining('600 seconds') });
  });

  it('keeps what a route says of its own responses', () => {
    const { responses } = operationAt(document, 'post', '/account');
    expect(responses[404]).toEqual({ description: 'Nobody.' });
    expect(responses[400]).toMatchObject({
      description: expect.stringMatching(/^No name\.\n\nThe request has more than one token/),
      content: { 'application/json': { schema: { anyOf: [{ type: 'string' }, { allOf: expect.any(Array) }] } } },
    });
  });

  it('refers to nothing that it does not define', () => {
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)];
    expect(new Set(references.map(([, name]) => name))).toEqual(new Set(['SessionRefusal']));
    const operations = Object.values(document.paths).flatMap((path) => Object.values(path) as OperationObject[]);
    const schemes = operations.flatMap(({ security = [] }) => security.flatMap((one) => Object.keys(one)));
    expect(Object.keys(document.components!.securitySchemes!)).toEqual(expect.arrayContaining(schemes));
  });

  it('is the same the second time, and leaves no trace in documents that are made without it', () => {
    const plain = SwaggerModule.createDocument(app.nest, CONFIG);
    expect(JSON.stringify(plain)).not.toContain('essions');
    expect(operationAt(plain, 'get', '/posts').security).toEqual([{ basic: [] }]);
    expect(createSessionsDocument(app.nest, CONFIG)).toEqual(document);
  });

  it('names the scopes in the requirements from OpenAPI 3.1 on, where it may', () => {
    const config = new DocumentBuilder().setOpenAPIVersion('3.1.0').build();
    const { security } = operationAt(createSessionsDocument(app.nest, config), 'patch', '/posts');
    expect(security).toContainEqual({ 'keys.api_keys.x-api-key': ['posts:read', 'posts:write'] });
  });

  it('leaves a scheme as the application describes it', () => {
    const own = { type: 'http', scheme: 'bearer', description: 'From the login' } as const;
    const config = new DocumentBuilder().addSecurity('sessions.bearer', own).build();
    expect(createSessionsDocument(app.nest, config).components?.securitySchemes?.['sessions.bearer']).toEqual(own);
  });

  it('takes the options of Nest, such as the modules to be documented', () => {
    const none = createSessionsDocument(app.nest, CONFIG, { include: [class {}] });
    expect([none.paths, none.components?.schemas]).toEqual([{}, {}]);
  });

  it('takes no options that SwaggerModule has not', () => {
    const create = (options: object) => () => createSessionsDocument(app.nest, CONFIG, options);
    expect(create({ deepScanRoute: true })).toThrow(
      new SessionsConfigError(['createSessionsDocument: deepScanRoute is no option (did you mean deepScanRoutes?)']),
    );
    expect(create({ deepScanRoutes: true, extraModels: [] })).not.toThrow();
  });
});

describe('the OpenAPI document of an application', () => {
  let app: HttpApp | undefined;
  afterAll(() => app?.close());

  it('that is guarded as a whole needs nothing on its routes, and has what the options say at run time', async () => {
    @Controller('notes')
    class NotesController {
      @Get()
      list(): void {}

      @Public()
      @Get('help')
      help(): void {}

      @ApiSession(ApiKeys)
      @Get('keys')
      keys(): void {}

      @Sse('events')
      events(): Observable<string> {
        return EMPTY;
      }
    }
    app = await start('express', {
      controllers: [NotesController],
      providers: [{ provide: APP_GUARD, useClass: SessionGuard }],
      options: { tables: { sessions: { cookie: { name: 'sid' }, credentials: ['cookie'] } } },
    });
    const document = createSessionsDocument(app.nest, CONFIG);
    for (const path of ['/notes', '/notes/events']) {
      expect(operationAt(document, 'get', path).security).toEqual([{ 'sessions.cookie': [] }]);
      expect(operationAt(document, 'get', path).responses).toHaveProperty('401');
    }
    expect(operationAt(document, 'get', '/notes/help').security).toBeUndefined();
    expect(operationAt(document, 'get', '/notes/keys').security).toEqual([{ 'keys.api_keys.x-api-key': [] }]);
    expect(document.components?.securitySchemes).toMatchObject({ 'sessions.cookie': { in: 'cookie', name: 'sid' } });
  });
});
