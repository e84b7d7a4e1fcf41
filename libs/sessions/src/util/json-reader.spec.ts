import { expect, it } from 'vitest';
import { jsonReader } from './json-reader.js';

const TEXTS = ['["a","b"]', '["c"]', '[]', '[{"a":[1]}]', '[[1]]', '[null]', '{"a":[1]}', '"a"'];

/** Changes a value at every level. */
function spoil(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  Object.values(value).forEach(spoil);
  Object.assign(value, { 0: 'changed' });
}

it('returns a value that nobody else has, whatever was read before', () => {
  const read = jsonReader();
  for (const text of TEXTS.flatMap((one) => [one, one, one, ...TEXTS])) {
    const value = read(text);
    expect(value).toEqual(JSON.parse(text));
    spoil(value);
  }
});

it('throws for what is no JSON', () => {
  expect(() => jsonReader()('[')).toThrow(SyntaxError);
});
