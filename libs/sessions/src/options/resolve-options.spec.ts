import { describe, expect, it } from 'vitest';
import { HASHING_ALGORITHMS } from '../token/digest.js';
import {
  INTERVAL_AND_CRON,
  LOOK_UP_TIMEOUT,
  NEVER_EXTENDED,
  NO_SOURCES,
  noAlgorithm,
  noCount,
  neverRuns,
  noCron,
  noDuration,
  noInterval,
  noPrefix,
  noSource,
  readsOldRowsOnly,
  SALT_EMPTY,
  SALT_WITHOUT_HASH,
  sourceOfItsOwn,
  TOKENS_IN_CLEAR,
  tokenTooLong,
  tokenTooShort,
  TTL_ZERO,
} from './messages.js';
import type { ResolvedOptions } from './resolved-options.js';
import { resolveOptions } from './resolve-options.js';
import type { TableOptions } from './sessions.options.js';

const DAY = 86_400_000;

interface Outcome {
  readonly resolved: ResolvedOptions;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

function resolve(options: TableOptions): Outcome {
  const problems: string[] = [];
  const warnings: string[] = [];
  const resolved = resolveOptions(
    options,
    (problem) => problems.push(problem),
    (warning) => warnings.push(warning),
  );
  return { resolved, problems, warnings };
}

/** Options as given in JavaScript, without type checks. */
const problemsOf = (options: object): readonly string[] => resolve(options).problems;

describe('resolveOptions', () => {
  it('has the defaults of PARITY 1.4', () => {
    expect(resolve({})).toEqual({
      resolved: {
        ttlMs: 7 * DAY,
        staleMs: DAY,
        absoluteMs: null,
        autoExtend: true,
        tokenFormat: { prefix: undefined, length: 64 },
        schemes: [{ algorithm: 'sha256', salt: undefined }],
        coalesces: true,
        coalescesWrites: true,
        maxDataSize: 65_536,
        lookUps: { maxInFlight: undefined, maxWaiting: 10_000, timeoutMs: 5000 },
        cache: false,
        checkTable: true,
        graceMs: 30_000,
        retentionMs: 30 * DAY,
        expiredRetentionMs: 0,
        pruning: { intervalMs: 3_600_000, cron: undefined, atStart: true, batchSize: 5000 },
        credentials: ['bearer'],
      },
      problems: [],
      warnings: [],
    });
  });

  it('takes every option together', () => {
    const { resolved, problems } = resolve({
      sessionTtl: '12h',
      extendSessionStaleTime: 900,
      checkTable: 'warn',
      autoExtendSession: false,
      tokenPrefix: 'my_key',
      authTokenLength: 30,
      hashingAlgorithm: 'sha512',
      secretSalt: 'salt',
      rotationGrace: '1m',
      retention: '90d',
      maxDataSize: 100,
      lookUps: { maxInFlight: 2, maxWaiting: 3, timeout: '1s' },
      cache: { maxEntries: 5, ttl: '1s', channel: null },
      pruning: { cron: '0 3 * * *', atStart: false, batchSize: 10 },
      credentials: [{ header: 'X-Auth-Token' }, 'bearer'],
    });
    expect(problems).toEqual([]);
    expect(resolved).toEqual({
      ttlMs: DAY / 2,
      staleMs: 900_000,
      absoluteMs: null,
      autoExtend: false,
      checkTable: 'warn',
      tokenFormat: { prefix: 'my_key', length: 30 },
      schemes: [{ algorithm: 'sha512', salt: 'salt' }],
      coalesces: true,
      coalescesWrites: true,
      maxDataSize: 100,
      lookUps: { maxInFlight: 2, maxWaiting: 3, timeoutMs: 1000 },
      cache: { maxEntries: 5, ttlMs: 1000, channel: null },
      graceMs: 60_000,
      retentionMs: 90 * DAY,
      expiredRetentionMs: 0,
      pruning: { intervalMs: 3_600_000, cron: '0 3 * * *', atStart: false, batchSize: 10 },
      credentials: [{ header: 'x-auth-token' }, 'bearer'],
    });
  });

  it.each([
    [{ sessionTtl: '2h' }, { ttlMs: DAY / 12, staleMs: DAY / 24 }],
    [{ sessionTtl: null }, { ttlMs: null, staleMs: DAY }],
    [{ extendSessionStaleTime: 0 }, { ttlMs: 7 * DAY, staleMs: 0 }],
    [{ extendSessionStaleTime: null }, { ttlMs: 7 * DAY, staleMs: null }],
    [
      { sessionTtl: null, extendSessionStaleTime: '30d' },
      { ttlMs: null, staleMs: 30 * DAY },
    ],
  ] as const)('resolves %o', (options, lifetime) => {
    const { resolved, problems } = resolve(options);
    expect(problems).toEqual([]);
    expect(resolved).toMatchObject(lifetime);
  });

  it('gives prefixed tokens 43 random characters, 256 bits', () => {
    expect(resolve({ tokenPrefix: 'key' }).resolved.tokenFormat).toEqual({ prefix: 'key', length: 43 });
  });

  it('tells all problems at once', () => {
    const problems = problemsOf({
      sessionTtl: 'soon',
      extendSessionStaleTime: -1,
      tokenPrefix: '_key',
      authTokenLength: 3,
      hashingAlgorithm: 'md5',
      secretSalt: '',
      rotationGrace: 'a while',
      retention: -30,
      pruning: { interval: 0, cron: 'never', batchSize: 0 },
      credentials: [],
    });
    expect(problems).toEqual([
      noDuration('sessionTtl', 'soon'),
      noDuration('extendSessionStaleTime', -1),
      noPrefix(20, '_key'),
      tokenTooShort(128, 3),
      SALT_EMPTY,
      noAlgorithm('hashingAlgorithm', HASHING_ALGORITHMS, 'md5'),
      noDuration('rotationGrace', 'a while'),
      noDuration('retention', -30),
      INTERVAL_AND_CRON,
      noCron('never'),
      noInterval(0),
      noCount('pruning.batchSize', 0),
      NO_SOURCES,
    ]);
  });
});

describe('sessionTtl and extendSessionStaleTime', () => {
  it.each([0, '0s', '0d'])('refuse a lifetime of %o', (sessionTtl) => {
    expect(problemsOf({ sessionTtl })).toEqual([TTL_ZERO]);
  });

  it.each([
    ['1d', '1d'],
    ['1h', '1d'],
    [3600, 3600],
  ])('refuse a ttl of %o with a stale time of %o (PARITY 1.4)', (sessionTtl, extendSessionStaleTime) => {
    expect(problemsOf({ sessionTtl, extendSessionStaleTime })).toEqual([NEVER_EXTENDED]);
  });
});

describe('lookUps', () => {
  it.each([0, -1, 1.5, NaN])('have at least one statement, and one that may wait, not %o', (count) => {
    expect(problemsOf({ lookUps: { maxInFlight: count, maxWaiting: count } })).toEqual([
      noCount('lookUps.maxInFlight', count),
      noCount('lookUps.maxWaiting', count),
    ]);
  });

  it.each([0, 0.09, '2h'])('have a time of 100 ms to an hour, not %o', (timeout) => {
    expect(problemsOf({ lookUps: { timeout } })).toEqual([LOOK_UP_TIMEOUT]);
  });

  it.each([0.1, '100s', '1h'])('take %o', (timeout) => {
    expect(problemsOf({ lookUps: { timeout } })).toEqual([]);
  });
});

describe('authTokenLength', () => {
  it.each([undefined, 'key'])(
    'is refused at 21 characters and taken at 22 with prefix %o (ASVS 7.2.3)',
    (tokenPrefix) => {
      expect(problemsOf({ tokenPrefix, authTokenLength: 21 })).toEqual([tokenTooShort(128, 21)]);
      expect(problemsOf({ tokenPrefix, authTokenLength: 22 })).toEqual([]);
    },
  );

  it.each([16, -64, 22.5, NaN, Infinity, '64'])('is refused as %o', (authTokenLength) => {
    expect(problemsOf({ authTokenLength })).toHaveLength(1);
  });

  it('is at most what fits into 255 characters with the longest prefix', () => {
    expect(problemsOf({ authTokenLength: 228, tokenPrefix: 'a'.repeat(20) })).toEqual([]);
    expect(problemsOf({ authTokenLength: 229 })).toEqual([tokenTooLong(228, 229)]);
  });
});

describe('tokenPrefix', () => {
  it.each(['k', 'key', 'sk_live', '0', 'a'.repeat(20)])('takes %o', (tokenPrefix) => {
    expect(problemsOf({ tokenPrefix })).toEqual([]);
  });

  it.each(['', '_', '_key', 'key_', 'a b', 'clé', 'key-1', 'a'.repeat(21)])('refuses %o', (tokenPrefix) => {
    expect(problemsOf({ tokenPrefix })).toHaveLength(1);
  });
});

describe('hashingAlgorithm', () => {
  it.each(['sha256', 'sha384', 'sha512', 'sha3-256', 'sha3-384', 'sha3-512', 'blake2b512', 'blake2s256'] as const)(
    'takes %s without a warning (PARITY 1.4)',
    (hashingAlgorithm) => {
      const { resolved, problems, warnings } = resolve({ hashingAlgorithm, secretSalt: 'salt' });
      expect([problems, warnings]).toEqual([[], []]);
      expect(resolved.schemes).toEqual([{ algorithm: hashingAlgorithm, salt: 'salt' }]);
    },
  );

  it.each(['sha1', 'sha224', 'sha3-224', 'ripemd160'] as const)(
    'warns of %s, reads with it and writes sha256 (ASVS 11.4.1)',
    (hashingAlgorithm) => {
      const { resolved, problems, warnings } = resolve({ hashingAlgorithm, secretSalt: 'salt' });
      expect(problems).toEqual([]);
      expect(warnings).toEqual([readsOldRowsOnly(hashingAlgorithm)]);
      expect(resolved.schemes).toEqual([
        { algorithm: 'sha256', salt: 'salt' },
        { algorithm: hashingAlgorithm, salt: 'salt' },
      ]);
    },
  );

  it('warns of null, and forbids a salt with it (PARITY 1.4)', () => {
    expect(resolve({ hashingAlgorithm: null })).toMatchObject({
      resolved: { schemes: [{ algorithm: null }] },
      problems: [],
      warnings: [TOKENS_IN_CLEAR],
    });
    expect(problemsOf({ hashingAlgorithm: null, secretSalt: 'salt' })).toEqual([SALT_WITHOUT_HASH]);
  });

  it.each(['md5', 'sha', '', 'SHA256'])('refuses %o (ASVS 11.4.1)', (hashingAlgorithm) => {
    expect(problemsOf({ hashingAlgorithm })).toHaveLength(1);
  });
});

describe('what is over', () => {
  it.each([
    [{}, 30 * DAY, 0],
    [{ revoked: '1d' }, DAY, 0],
    [{ expired: '2d' }, 30 * DAY, 2 * DAY],
    [{ revoked: 0, expired: 60 }, 0, 60_000],
  ] as const)('is kept as long as %o says', (retention, retentionMs, expiredRetentionMs) => {
    const { problems, resolved } = resolve({ retention });
    expect([problems, resolved]).toMatchObject([[], { retentionMs, expiredRetentionMs }]);
  });

  it('is kept for a duration', () => {
    expect(problemsOf({ retention: { revoked: -1, expired: 'soon' } })).toEqual([
      noDuration('retention.revoked', -1),
      noDuration('retention.expired', 'soon'),
    ]);
  });
});

it.each(['0 0 31 2 *', '0 0 30 2 *', '0 0 31 4,6 *'])('a pruning.cron that never comes, %o, is refused', (cron) => {
  expect(problemsOf({ pruning: { cron } })).toEqual([neverRuns(cron)]);
});

it('a pruning.cron that comes in leap years is taken', () => {
  expect(problemsOf({ pruning: { cron: '0 0 29 2 *' } })).toEqual([]);
});

describe.each([
  ['rotationGrace', 'graceMs', 30_000],
  ['retention', 'retentionMs', 30 * DAY],
] as const)('%s', (option, resolved, fallback) => {
  it.each([
    ['2m', 120_000],
    [45, 45_000],
    [0, 0],
    ['0s', 0],
    [undefined, fallback],
  ])('is taken as %o', (duration, ms) => {
    const { problems, resolved: options } = resolve({ [option]: duration });
    expect(problems).toEqual([]);
    expect(options[resolved]).toBe(ms);
  });

  it.each(['soon', '', -1, NaN, Infinity, [], null])('is refused as %o', (duration) => {
    expect(problemsOf({ [option]: duration })).toEqual([noDuration(option, duration)]);
  });
});

describe('pruning', () => {
  it('can be turned off', () => {
    expect(resolve({ pruning: false }).resolved.pruning).toBe(false);
  });

  it('takes an interval', () => {
    expect(resolve({ pruning: { interval: '10m' } }).resolved.pruning).toMatchObject({ intervalMs: 600_000 });
  });

  it.each([0, -1, '25d', 'often', null])('refuses an interval of %o', (interval) => {
    expect(problemsOf({ pruning: { interval } })).toEqual([noInterval(interval)]);
  });
});

describe('credentials', () => {
  it.each([['cookies'], [{ cookie: true }], [{ header: '' }], [{ header: 'X Y' }], [{}], [null], [5]])(
    'refuse %o',
    (source) => {
      expect(problemsOf({ credentials: [source] })).toEqual([noSource(source)]);
    },
  );

  it('refuse the Authorization header as a plain one', () => {
    expect(problemsOf({ credentials: [{ header: 'authorization' }] })).toEqual([
      sourceOfItsOwn('bearer', 'Authorization'),
    ]);
  });

  it('refuse the Cookie header as a plain one', () => {
    expect(problemsOf({ credentials: [{ header: 'Cookie' }] })).toEqual([sourceOfItsOwn('cookie', 'Cookie')]);
  });

  it('name the cookie, in the order that was given', () => {
    const { resolved } = resolve({ credentials: ['cookie', 'bearer'], cookie: { name: 'id' } });
    expect(resolved.credentials).toEqual([{ cookie: 'id' }, 'bearer']);
    expect(resolved.cookie).toMatchObject({ name: 'id', persistent: true });
  });
});

describe('cookie', () => {
  it('is checked where the table takes one', () => {
    expect(problemsOf({ credentials: ['cookie'], cookie: { name: '' } })).toHaveLength(1);
  });

  it('is of no concern to a table that takes none, though forRoot has it for all', () => {
    expect(resolve({ cookie: { name: '', secure: false } })).toMatchObject({
      resolved: { credentials: ['bearer'], cookie: undefined },
      problems: [],
      warnings: [],
    });
  });
});
