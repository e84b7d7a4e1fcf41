import type { OpenAPIObject, OperationObject, ResponseObject, SchemaObject } from '@nestjs/swagger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TooManyRefusalsError } from '../../libs/sessions/src/guard/refusal-budget.js';
import { BODIES } from '../errors/one-of-each.js';
import { DemoApp } from './support/demo-app.js';
import { Person } from './support/person.js';

const SESSION = ['sessions.bearer', 'sessions.x-auth-token', 'sessions.cookie'];
const KEY = ['api_keys.bearer'];

/** Every route of the demo, and by what it lets people and machines in. */
const ROUTES = {
  'post /api/sign-up': [],
  'post /api/sign-up/finish': [],
  'post /api/login': ['', ...SESSION],
  'post /api/session/rotate': SESSION,
  'post /api/logout': SESSION,
  'post /api/account/reauthenticate': SESSION,
  'post /api/account/password': SESSION,
  'get /api/me': SESSION,
  'get /api/account/sessions': SESSION,
  'delete /api/account/sessions/{id}': SESSION,
  'post /api/account/sign-out-others': SESSION,
  'post /api/account/sign-out-everywhere': SESSION,
  'get /api/statistics': [],
  'get /api/account/activity': SESSION,
  'post /api/projects': SESSION,
  'get /api/projects': SESSION,
  'post /api/projects/{id}/keys': SESSION,
  'get /api/projects/{id}/keys': SESSION,
  'post /api/projects/{id}/keys/{keyId}/rotate': SESSION,
  'delete /api/projects/{id}/keys/{keyId}': SESSION,
  'get /api/project': KEY,
  'patch /api/project': KEY,
};

describe('the OpenAPI document of the demo', () => {
  let app: DemoApp;
  let document: OpenAPIObject;
  let operations: Map<string, OperationObject>;
  beforeAll(async () => {
    app = await DemoApp.start('memory:');
    document = (await app.send('GET', '/docs-json')).body as OpenAPIObject;
    operations = new Map(
      Object.entries(document.paths).flatMap(([path, methods]) =>
        Object.entries(methods as object).map(([method, operation]) => [
          `${method} ${path}`,
          operation as OperationObject,
        ]),
      ),
    );
  });
  afterAll(() => app.close());

  it('has a page for people', async () => {
    const page = await app.send('GET', '/docs');
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; .*frame-ancestors 'none'$/);
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await app.send('GET', '/docs/swagger-ui-bundle.js')).toMatchObject({ status: 200 });
  });

  it('lists every route with a summary, and what it lets in', () => {
    const listed = [...operations].map(([route, { summary, security = [] }]) => {
      expect([route, summary]).toEqual([route, expect.stringMatching(/^[A-Z]/)]);
      return [route, security.map((one) => Object.keys(one).join())];
    });
    expect(Object.fromEntries(listed)).toEqual(ROUTES);
  });

  it('describes bodies by the rules that they are held to', async () => {
    const { requestBody } = operations.get('post /api/sign-up/finish')! as { requestBody: ResponseObject };
    const { password } = (requestBody.content!['application/json']!.schema as SchemaObject).properties!;
    const { minLength } = password as SchemaObject;
    const finish = async (length: number): Promise<number> => {
      const body = { token: 'none', password: 'x'.repeat(length) };
      return (await app.send('POST', '/api/sign-up/finish', { body })).status;
    };
    expect([await finish(minLength! - 1), await finish(minLength!)]).toEqual([400, 403]);
  });

  it('describes what routes answer', async () => {
    const person = await Person.new(app);
    const project = await person.project();
    const { id: key, key: token } = await person.key(project);
    const paths = new Map([
      ['post /api/projects/{id}/keys/{keyId}/rotate', `/api/projects/${project}/keys/${key}/rotate`],
      ['post /api/projects/{id}/keys', `/api/projects/${project}/keys`],
      ['get /api/projects/{id}/keys', `/api/projects/${project}/keys`],
    ]);
    const bodies = new Map<string, object>([
      ['post /api/sign-up', { email: 'new@example.com' }],
      ['post /api/sign-up/finish', { token: 'none', password: 'correct horse' }],
      ['post /api/login', person.credentials],
      ['post /api/account/reauthenticate', { password: 'wrong' }],
      ['post /api/account/password', { password: '' }],
      ['post /api/projects', { name: 'Loom' }],
      ['post /api/projects/{id}/keys', { name: 'backup' }],
      ['patch /api/project', { name: 'Motor' }],
    ]);
    for (const [route, operation] of operations) {
      const [method = '', template = ''] = route.split(' ');
      const path = paths.get(route) ?? template;
      if (method === 'delete' || route.endsWith('logout') || route.endsWith('everywhere')) continue;
      const by = route.endsWith('/project') ? token : route.endsWith('login') ? undefined : person.token;
      const answer = await app.send(method.toUpperCase(), path, { token: by, body: bodies.get(route) });
      const response = operation.responses[answer.status] as ResponseObject | undefined;
      expect([route, answer.status, response]).toEqual([route, answer.status, expect.any(Object)]);
      const { schema } = response!.content!['application/json']!;
      expect([route, problemsOf(answer.body, schema as SchemaObject)]).toEqual([route, []]);
    }
  });

  it('describes that there were too many guesses', () => {
    const without = [...operations].filter(([, { responses }]) => !(429 in responses)).map(([route]) => route);
    expect(without).toEqual(['get /api/statistics']);
    const { content, headers } = operations.get('post /api/sign-up')!.responses[429] as ResponseObject;
    expect(Object.keys(headers!)).toEqual(['Retry-After']);
    const answer = new TooManyRefusalsError(60).getResponse();
    expect(problemsOf(answer, content!['application/json']!.schema as SchemaObject)).toEqual([]);
  });

  it.each([
    ['post /api/login', 'StaleCredentialsError'],
    ['post /api/session/rotate', 'StaleSessionError'],
    ['post /api/account/reauthenticate', 'StaleSessionError'],
  ] as const)('describes the errors of sessions that %s answers', (route, name) => {
    const { schema } = (operations.get(route)!.responses[409] as ResponseObject).content!['application/json']!;
    expect(problemsOf(BODIES[name], schema as SchemaObject)).toEqual([]);
    const { message: _, ...incomplete } = BODIES[name]!;
    expect(problemsOf(incomplete, schema as SchemaObject)).toEqual(['$ has no message']);
    expect(problemsOf({ ...BODIES[name]!, errorCode: 'ERR_OTHER' }, schema as SchemaObject)).toHaveLength(1);
  });

  /** Where a value is not what a schema says, in the parts of JSON Schema that the demo uses. */
  function problemsOf(value: unknown, schema: SchemaObject & { $ref?: string }, at = '$'): string[] {
    if (schema.$ref) return problemsOf(value, document.components!.schemas![schema.$ref.split('/').at(-1)!]!, at);
    if (schema.anyOf) {
      const found = schema.anyOf.map((one) => problemsOf(value, one as SchemaObject, at));
      return found.some(({ length }) => length === 0) ? [] : found.flat();
    }
    if (schema.allOf) return schema.allOf.flatMap((one) => problemsOf(value, one as SchemaObject, at));
    if (value === null) return schema.nullable ? [] : [`${at} is null`];
    if (schema.enum && !schema.enum.includes(value)) return [`${at} is ${JSON.stringify(value)}`];
    switch (schema.type) {
      case 'array':
        if (!Array.isArray(value)) return [`${at} is no list`];
        return value.flatMap((item, i) => problemsOf(item, schema.items as SchemaObject, `${at}[${i}]`));
      case 'object': {
        const { properties = {}, required = [] } = schema;
        const missing = required.filter((name) => !Object.hasOwn(value as object, name));
        const given = Object.entries(value as object).flatMap(([name, part]) =>
          properties[name] ? problemsOf(part, properties[name], `${at}.${name}`) : [],
        );
        return [...missing.map((name) => `${at} has no ${name}`), ...given];
      }
      case 'integer':
        return Number.isInteger(value) ? [] : [`${at} is no whole number`];
      default:
        return typeof value === schema.type ? [] : [`${at} is no ${String(schema.type)}`];
    }
  }
});
