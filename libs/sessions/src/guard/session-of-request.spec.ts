import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { BaseSession } from '../session/session.js';
import { rememberSession, sessionOf } from './session-of-request.js';

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

  it.each([undefined, null, 'text', 1])('is none of what is no request: %s', (request) => {
    expect(sessionOf(request)).toBeUndefined();
  });
});
