import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { BaseSession } from '../session/session.js';
import { putOnRequest } from './request-session.js';
import { rememberSession } from './session-of-request.js';

const session = (id: string): BaseSession => ({ id }) as BaseSession;

/** Does what the guard does. */
function admit<T extends object>(request: T, found: BaseSession): T & { session?: unknown } {
  putOnRequest(request, found);
  rememberSession(request, found);
  return request;
}

describe('request.session', () => {
  it('is the session that was found, the last one of several', () => {
    const request = admit({}, session('s1'));
    expect(request.session).toMatchObject({ id: 's1' });
    expect(admit(request, session('s2')).session).toMatchObject({ id: 's2' });
  });

  it('is in no list, no copy, no JSON and no log of the request', () => {
    const request = admit({ url: '/me' }, session('s1'));
    expect(Object.keys(request)).toEqual(['url']);
    expect(JSON.stringify(request)).toBe('{"url":"/me"}');
    expect(inspect(request)).toBe("{ url: '/me' }");
    expect({ ...request }.session).toBeUndefined();
  });

  it('can be replaced by a library that comes later, and is that library’s from then on', () => {
    const request = admit({}, session('s1'));
    request.session = 'theirs';
    expect(admit(request, session('s2')).session).toBe('theirs');
  });

  it.each([
    ['a value', { session: 'theirs' }],
    ['no value yet', { session: undefined }],
    ['null', { session: null }],
    ['a prototype', Object.create({ session: null }) as object],
    ['a getter', Object.create({ get session() { return 'theirs'; } }) as object], // prettier-ignore
  ])('is left alone where somebody else has it, as %s', (_, request) => {
    const before = (request as { session?: unknown }).session;
    expect(admit(request, session('s1')).session).toBe(before);
    expect(admit(request, session('s2')).session).toBe(before);
  });

  it('is not on a request that takes no properties', () => {
    expect(admit(Object.freeze({}), session('s1'))).not.toHaveProperty('session');
  });
});
