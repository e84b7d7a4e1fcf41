import { expect, it } from 'vitest';
import { reasonOf } from './reason-of.js';

it('is the message of an error', () => {
  expect(reasonOf(new Error('no such table'))).toBe('no such table');
});

it('is the code where Node was refused at several addresses and gives no message', () => {
  const refused = Object.assign(new AggregateError([new Error('::1'), new Error('127.0.0.1')]), {
    code: 'ECONNREFUSED',
  });
  expect(reasonOf(refused)).toBe('ECONNREFUSED');
});

it.each([
  [new TypeError(), 'TypeError'],
  ['text', 'text'],
  [undefined, 'undefined'],
])('is something to read for %s too', (thrown, reason) => {
  expect(reasonOf(thrown)).toBe(reason);
});
