import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SessionValidationError } from '../errors/errors.js';
import { isGrant } from '../session/scopes.js';
import * as checked from './attributes.js';
import { sessionColumns } from './columns.js';

const TABLE = sessionColumns({
  extraFields: {
    userId: { type: 'string', length: 5 },
    note: { type: 'text', nullable: true },
    level: { type: 'enum', values: ['a', 'b'], default: 'a' },
    origin: { type: 'int', nullable: true, immutable: true },
    meta: { type: 'json', default: { seen: [] } },
    tags: {
      type: 'string',
      nullable: true,
      transformer: {
        to: (tags: string[] | null) => tags && tags.join(','),
        from: (text: string | null) => text && text.split(','),
      },
    },
    user: { manyToOne: () => class {}, joinColumn: 'userId' },
  },
});

const newAttributes = (...args: Parameters<typeof checked.newAttributes>) => checked.newAttributes(...args).values;
const changedAttributes = (...args: Parameters<typeof checked.changedAttributes>) =>
  checked.changedAttributes(...args).values;

function errorsOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    if (error instanceof SessionValidationError) return error.errors;
    throw error;
  }
}

describe('newAttributes', () => {
  it('completes what was left out by defaults and null', () => {
    expect(newAttributes(TABLE, { userId: 'u1' })).toEqual({
      userId: 'u1',
      note: null,
      level: 'a',
      origin: null,
      meta: { seen: [] },
      tags: null,
      data: {},
    });
  });

  it('takes undefined for left out', () => {
    expect(newAttributes(TABLE, { userId: 'u1', level: undefined, data: undefined })).toMatchObject({
      level: 'a',
      data: {},
    });
  });

  it('names every missing, unknown and wrong field at once (PARITY 1.2)', () => {
    const attributes = { note: 5, level: 'c', id: 'x', authTokenDigest: 'y', user: {}, nothing: 1, data: [] };
    expect(errorsOf(() => newAttributes(TABLE, attributes))).toEqual({
      userId: 'is required',
      note: 'must be text, not the number 5',
      level: 'must be one of a, b',
      id: 'is set by the library',
      authTokenDigest:
        'is no field of this table (there are: userId, note, level, origin, meta, tags, data, expiresAt)',
      user: 'is a relation: set the field of its join column',
      nothing: 'is no field of this table (there are: userId, note, level, origin, meta, tags, data, expiresAt)',
      data: 'must be an object',
    });
  });

  it.each([[null], [[]], ['text'], [5]])('refuses %o as data', (data) => {
    expect(errorsOf(() => newAttributes(TABLE, { userId: 'u1', data }))).toEqual({ data: 'must be an object' });
  });

  it('refuses null where null is no value', () => {
    expect(errorsOf(() => newAttributes(TABLE, { userId: null, level: null }))).toEqual({
      userId: 'must not be null',
      level: 'must not be null',
    });
  });

  it('counts characters, not UTF-16 units', () => {
    expect(newAttributes(TABLE, { userId: '😀😀😀😀😀' })).toMatchObject({ userId: '😀😀😀😀😀' });
    expect(errorsOf(() => newAttributes(TABLE, { userId: '😀😀😀😀😀😀' }))).toHaveProperty('userId');
  });

  it('gives data as a later read returns it (PARITY 1.9)', () => {
    const data = { at: new Date(0), gone: undefined, list: [undefined, NaN], nested: { f: () => 1, n: -0 } };
    expect(newAttributes(TABLE, { userId: 'u1', data })).toMatchObject({
      data: { at: '1970-01-01T00:00:00.000Z', list: [null, null], nested: { n: 0 } },
    });
  });

  it('shares nothing with what was given, nor with the default', () => {
    const data = { list: [1] };
    const row = newAttributes(TABLE, { userId: 'u1', data });
    data.list.push(2);
    (row['meta'] as { seen: unknown[] }).seen.push('x');
    expect(row['data']).toEqual({ list: [1] });
    expect(newAttributes(TABLE, { userId: 'u1' })['meta']).toEqual({ seen: [] });
  });

  it('gives a transformed field as the application has it', () => {
    expect(newAttributes(TABLE, { userId: 'u1', tags: ['a', 'b'] })).toMatchObject({ tags: ['a', 'b'] });
  });

  it('names the field __proto__ like any other unknown one', () => {
    const attributes = JSON.parse('{"userId":"u1","__proto__":{"level":"b"}}') as object;
    expect(Object.keys(errorsOf(() => newAttributes(TABLE, attributes)) as object)).toEqual(['__proto__']);
  });

  it('fails in no other way, whatever it is given', () => {
    const names = fc.oneof(fc.constantFrom(...TABLE.columns.keys(), 'user', 'status'), fc.string());
    const values = fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true });
    fc.assert(
      fc.property(fc.dictionary(names, values), (attributes) => {
        delete attributes['tags']; // The application's own transformer may throw what it likes.
        expect(() => errorsOf(() => newAttributes(TABLE, attributes))).not.toThrow();
      }),
      { numRuns: 1000 },
    );
  });
});

describe('changedAttributes', () => {
  it('gives what was given, nothing else', () => {
    expect(changedAttributes(TABLE, { note: 'x', level: undefined })).toEqual({ note: 'x' });
  });

  it('names every immutable, unknown and wrong field at once', () => {
    expect(errorsOf(() => changedAttributes(TABLE, { origin: 1, createdAt: new Date(), level: 5, x: 1 }))).toEqual({
      origin: 'is immutable',
      createdAt: 'is set by the library',
      level: 'must be one of a, b',
      x: 'is no field of this table (there are: userId, note, level, origin, meta, tags, data, expiresAt)',
    });
  });
});

describe('scopes', () => {
  const SCOPES = ['posts:read', 'posts:write', 'posts:comments:write'];
  const SCOPED = sessionColumns({ scopes: SCOPES });
  const problem = `must be a list of ${SCOPES.join(', ')}, or wildcards that cover some of them`;

  it('are none where none are given, and stay as they are where nothing is said of them', () => {
    expect(newAttributes(SCOPED, {})).toMatchObject({ scopes: [] });
    expect(newAttributes(SCOPED, { scopes: undefined })).toMatchObject({ scopes: [] });
    expect(changedAttributes(SCOPED, { scopes: undefined })).toEqual({});
  });

  it.each([[['posts:read', 'posts:write']], [['posts:*']], [['posts:comments:*']], [['*']], [[]]])(
    'can be %j',
    (scopes) => {
      expect(newAttributes(SCOPED, { scopes })).toMatchObject({ scopes });
      expect(changedAttributes(SCOPED, { scopes })).toEqual({ scopes });
    },
  );

  it.each([
    ['posts:read'],
    [null],
    [{ 0: 'posts:read' }],
    [5],
    [['posts:delete']],
    [['posts:read', 'post:*']],
    [['posts:read:*']],
    [['']],
    [[['posts:read']]],
    [[null]],
  ])('cannot be %j', (scopes) => {
    expect(errorsOf(() => newAttributes(SCOPED, { scopes }))).toEqual({ scopes: problem });
    expect(errorsOf(() => changedAttributes(SCOPED, { scopes }))).toEqual({ scopes: problem });
  });

  it('are exactly lists of what covers scopes of the table', () => {
    const value = fc.oneof(
      fc.constantFrom(...SCOPES, '*', 'posts:*', 'posts:comments:*', 'users:*', 'posts', 'posts:write:*'),
      fc.anything(),
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 4 }), (scopes) => {
        const accepted = scopes.every((scope) => isGrant(scope, SCOPES));
        expect(errorsOf(() => changedAttributes(SCOPED, { scopes }))).toEqual(
          accepted ? { scopes } : { scopes: problem },
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('share nothing with what was given', () => {
    const scopes = ['posts:read'];
    const row = newAttributes(SCOPED, { scopes });
    scopes.push('*');
    expect(row['scopes']).toEqual(['posts:read']);
  });

  it('are no field of a table without them', () => {
    expect(errorsOf(() => newAttributes(TABLE, { userId: 'u1', scopes: [] }))).toEqual({
      scopes: 'is no field of this table (there are: userId, note, level, origin, meta, tags, data, expiresAt)',
    });
  });
});

describe('what the library keeps of a session', () => {
  const KEEPING = sessionColumns({ revocation: true, rotation: true, freshness: true });

  it.each(['revokedAt', 'revokedReason', 'rotatedAt', 'authenticatedAt'])('is no attribute: %s', (name) => {
    expect(errorsOf(() => newAttributes(KEEPING, { [name]: null }))).toEqual({ [name]: 'is set by the library' });
    expect(errorsOf(() => changedAttributes(KEEPING, { [name]: null }))).toEqual({ [name]: 'is set by the library' });
  });
});
