import { createSecretKey, KeyObject } from 'node:crypto';
import {
  HASHING_ALGORITHMS,
  type DigestScheme,
  type HashScheme,
  type KeyedScheme,
  LEGACY_HASHING_ALGORITHMS,
  type SigningKey,
} from '../token/digest.js';
import {
  MAX_PREFIX_LENGTH,
  MAX_TOKEN_LENGTH,
  MIN_TOKEN_BITS,
  PLAIN_LENGTH,
  PREFIXED_LENGTH,
  tokenBits,
  type TokenFormat,
} from '../token/format.js';
import {
  KEYS_ALIKE,
  NO_KEYS,
  noAlgorithm,
  noKeyId,
  noPrefix,
  noSecret,
  readsOldRowsOnly,
  SALT_EMPTY,
  SALT_WITHOUT_HASH,
  secretTooShort,
  TOKENS_IN_CLEAR,
  tokenTooLong,
  tokenTooShort,
} from './messages.js';
import type { ResolvedOptions } from './resolved-options.js';
import type { TableOptions } from './sessions.options.js';

const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/;
const MIN_KEY_BYTES = 32;
/** The most random characters that fit beside the longest prefix. */
const LONGEST = MAX_TOKEN_LENGTH - MAX_PREFIX_LENGTH - 7;

/** Resolves the format of a table's tokens. */
export function resolveFormat(
  { tokenPrefix: prefix, acceptPlainTokens: acceptsPlain = false, authTokenLength }: TableOptions,
  problem: (text: string) => void,
): TokenFormat {
  const format = {
    prefix,
    length: authTokenLength ?? (prefix === undefined ? PLAIN_LENGTH : PREFIXED_LENGTH),
    ...(acceptsPlain && { acceptsPlain }),
  };
  if (
    prefix !== undefined &&
    !(new RegExp(`^[A-Za-z0-9][A-Za-z0-9_]{0,${MAX_PREFIX_LENGTH - 1}}$`).test(prefix) && !prefix.endsWith('_'))
  ) {
    problem(noPrefix(MAX_PREFIX_LENGTH, prefix));
  }
  if (!Number.isInteger(format.length) || tokenBits(format) < MIN_TOKEN_BITS) {
    problem(tokenTooShort(MIN_TOKEN_BITS, format.length));
  } else if (format.length > LONGEST) {
    problem(tokenTooLong(LONGEST, format.length));
  }
  return format;
}

/** Resolves how the tokens of a table are digested. */
export function resolveSchemes(
  options: TableOptions,
  problem: (text: string) => void,
  warn: (text: string) => void,
): ResolvedOptions['schemes'] {
  const { keys, formerSchemes = [] } = options;
  // An empty environment variable must not make digests without a key.
  if (keys?.length === 0) problem(NO_KEYS);
  const keyed = resolveKeys(keys ?? [], problem);
  formerSchemes.forEach((scheme) => checkFormer(scheme, problem));
  const [first, ...others] = [...keyed, ...resolveHash(options, keyed.length > 0, problem, warn), ...formerSchemes];
  return [first!, ...others];
}

/** Creates the key objects once: a key given as text is prepared anew for each digest. */
function resolveKeys(keys: readonly SigningKey[], problem: (text: string) => void): KeyedScheme[] {
  if (new Set(keys.map(({ id }) => id)).size < keys.length) problem(KEYS_ALIKE);
  return keys.map(({ id, secret }) => {
    if (!isKeyId(id)) problem(noKeyId('keys', id));
    const bytes = isSecret(secret) ? Buffer.from(secret) : undefined;
    if (!bytes) problem(noSecret('keys', id));
    else if (bytes.length < MIN_KEY_BYTES) problem(secretTooShort('keys', id, MIN_KEY_BYTES, bytes.length));
    return { key: { id, secret: createSecretKey(bytes ?? Buffer.alloc(0)) } };
  });
}

/** Reports problems with a scheme of older rows, which would otherwise fail at the first lookup of a token. */
function checkFormer(scheme: DigestScheme, problem: (text: string) => void): void {
  if ('key' in scheme) {
    const { id, secret } = scheme.key;
    if (!isKeyId(id)) problem(noKeyId('formerSchemes.key', id));
    if (!isSecret(secret) && !(secret instanceof KeyObject)) problem(noSecret('formerSchemes.key', id));
    return;
  }
  const all = [...HASHING_ALGORITHMS, ...LEGACY_HASHING_ALGORITHMS];
  if (scheme.algorithm !== null && !isOneOf(all, scheme.algorithm))
    problem(noAlgorithm('formerSchemes: algorithm', all, scheme.algorithm));
}

function isKeyId(id: unknown): boolean {
  return typeof id === 'string' && KEY_ID.test(id);
}

function isSecret(secret: unknown): secret is string | Uint8Array {
  return typeof secret === 'string' || secret instanceof Uint8Array;
}

/** The scheme without a key: for new rows or, beside a keyring, for older ones. */
function resolveHash(
  { hashingAlgorithm: algorithm = 'sha256', secretSalt: salt }: TableOptions,
  former: boolean,
  problem: (text: string) => void,
  warn: (text: string) => void,
): HashScheme[] {
  if (algorithm === null) {
    if (salt !== undefined) problem(SALT_WITHOUT_HASH);
    if (!former) warn(TOKENS_IN_CLEAR);
    return [{ algorithm }];
  }
  if (salt === '') problem(SALT_EMPTY);
  if (isOneOf(LEGACY_HASHING_ALGORITHMS, algorithm)) {
    if (former) return [{ algorithm, salt }];
    warn(readsOldRowsOnly(algorithm));
    return [
      { algorithm: 'sha256', salt },
      { algorithm, salt },
    ];
  }
  if (!isOneOf(HASHING_ALGORITHMS, algorithm)) {
    problem(noAlgorithm('hashingAlgorithm', HASHING_ALGORITHMS, algorithm));
  }
  return [{ algorithm, salt }];
}

function isOneOf<T extends string>(list: readonly T[], value: string): value is T {
  return (list as readonly string[]).includes(value);
}
