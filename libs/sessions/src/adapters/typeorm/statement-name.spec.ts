import fc from 'fast-check';
import { expect, it } from 'vitest';
import { statementName } from './statement-name.js';

const named = (name: string, call: string | true, text = 'SELECT 1', generation = 0): string =>
  statementName({ table: { name }, call, text }, generation);

it('says which table and which call it is of', () => {
  expect(named('sessions', 'authenticate')).toMatch(/^nest_sessions:sessions:authenticate:[\w-]{12}$/);
  expect(named('sessions', true)).toMatch(/^nest_sessions:sessions:query:[\w-]{12}$/);
});

it('has as many bytes as PostgreSQL keeps, in whole characters, whatever the table is called', () => {
  const text = fc.string({ unit: 'binary', maxLength: 80 });
  fc.assert(
    fc.property(text, text, (table, call) => {
      const name = named(table, call);
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
      expect(Buffer.from(name).toString()).toBe(name);
    }),
  );
});

it('is another one for another statement, and for the same one prepared anew', () => {
  const names = [named('s', 'c', 'SELECT 1'), named('s', 'c', 'SELECT 2'), named('s', 'c', 'SELECT 1', 1)];
  expect(new Set(names).size).toBe(3);
  expect(named('s', 'c')).toBe(names[0]);
});
