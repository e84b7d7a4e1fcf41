import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { privateField } from './private-field.js';

describe('a private field', () => {
  it('has the value that an object was given last', () => {
    const field = privateField<number>();
    const [one, other] = [{}, {}];
    expect(field.get(one)).toBeUndefined();
    field.set(one, 1);
    field.set(one, 2);
    expect(field.get(one)).toBe(2);
    expect(field.get(other)).toBeUndefined();
  });

  it('is one of several of an object', () => {
    const [first, second] = [privateField<string>(), privateField<string>()];
    const object = {};
    first.set(object, 'a');
    expect(second.get(object)).toBeUndefined();
    second.set(object, 'b');
    expect([first.get(object), second.get(object)]).toEqual(['a', 'b']);
  });

  it.each([
    ['an object', () => ({ url: '/' })],
    ['an object without a prototype', () => Object.assign(Object.create(null), { url: '/' }) as object],
    ['a frozen object', () => Object.freeze({ url: '/' })],
    [
      'an instance',
      () =>
        new (class Request {
          readonly url = '/';
        })(),
    ],
    [
      'a proxy that refuses everything',
      () => new Proxy({ url: '/' }, { has: refuse, get: refuse, set: refuse, defineProperty: refuse }),
    ],
    ['a function', () => () => undefined],
  ])('is kept with %s', (_, make) => {
    const field = privateField<string>();
    const object = make();
    field.set(object, 'kept');
    expect(field.get(object)).toBe('kept');
  });

  it('is in no list, no copy and no log of the object, which keeps its class', () => {
    class Request {
      readonly url = '/me';
    }
    const field = privateField<string>();
    const request = new Request();
    field.set(request, 'kept');
    expect(Reflect.ownKeys(request)).toEqual(['url']);
    expect(inspect(request, { showHidden: true })).toBe("Request { url: '/me' }");
    expect(field.get({ ...request })).toBeUndefined();
    expect(field.get(structuredClone(request))).toBeUndefined();
    expect(request).toBeInstanceOf(Request);
  });
});

function refuse(): never {
  throw new Error('Nothing asks the object.');
}
