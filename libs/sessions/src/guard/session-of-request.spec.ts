import { inspect } from 'node:util';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { describe, expect, it } from 'vitest';
import type { BaseSession } from '../session/session.js';
import { boxOf, rememberSession, sessionOf } from './session-of-request.js';

const NOW = new Date('2026-03-01T12:00:00.000Z');
const session = (id: string): BaseSession => ({
  id,
  data: {},
  expiresAt: null,
  isExpired: false,
  createdAt: NOW,
  updatedAt: NOW,
});

describe('the session of a request', () => {
  it('is the last one that was found', () => {
    const [request, other] = [{}, {}];
    expect(sessionOf(request)).toBeUndefined();
    rememberSession(request, session('s1'));
    expect(sessionOf(request)).toMatchObject({ id: 's1' });
    rememberSession(request, session('s2'));
    expect(sessionOf(request)).toMatchObject({ id: 's2' });
    expect(sessionOf(other)).toBeUndefined();
  });

  it('is in no list, no copy, no JSON and no log of the request, which keeps its class', () => {
    class Request {
      readonly url = '/me';
    }
    const request = new Request();
    rememberSession(request, session('s1'));
    expect(Reflect.ownKeys(request)).toEqual(['url']);
    expect(JSON.stringify(request)).toBe('{"url":"/me"}');
    expect(inspect(request, { showHidden: true })).toBe("Request { url: '/me' }");
    expect(sessionOf({ ...request })).toBeUndefined();
    expect(request).toBeInstanceOf(Request);
  });

  it('is that of Node’s own request too, which Fastify’s has in raw', () => {
    const raw = { headers: {} };
    rememberSession({ raw }, session('s1'));
    expect(sessionOf(raw)).toMatchObject({ id: 's1' });
    expect(sessionOf({ raw })).toMatchObject({ id: 's1' });
  });

  it.each([Buffer.from('body'), 'body', null])(
    'is its own where an application keeps something else in raw: %s',
    (raw) => {
      const request = { raw };
      rememberSession(request, session('s1'));
      expect(sessionOf(request)).toMatchObject({ id: 's1' });
      expect(sessionOf({ raw })).toBeUndefined();
    },
  );

  it('is found by the context of a guard, an interceptor or a filter', () => {
    const request = {};
    const context = new ExecutionContextHost([request, {}]);
    expect(sessionOf(context)).toBeUndefined();
    rememberSession(request, session('s1'));
    expect(sessionOf(context)).toMatchObject({ id: 's1' });
  });

  it('goes into the box that was there before', () => {
    const request = {};
    const box = boxOf(request);
    rememberSession(request, session('s1'));
    expect(box.session).toMatchObject({ id: 's1' });
    expect(boxOf(request)).toBe(box);
  });

  it.each([undefined, null, 'text', 1, new ExecutionContextHost(['text'])])(
    'is none of what is no request: %s',
    (request) => {
      expect(sessionOf(request as object | undefined)).toBeUndefined();
    },
  );
});
