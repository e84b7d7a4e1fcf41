import { createSecretKey } from 'node:crypto';
import {
  HASHING_ALGORITHMS,
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
import { readsOldRowsOnly, TOKENS_IN_CLEAR } from './messages.js';
import type { ResolvedOptions } from './resolved-options.js';
import type { TableOptions } from './sessions.options.js';

const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/;
const MIN_KEY_BYTES = 32;

/** What the tokens of a table look like. */
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
    problem(
      `tokenPrefix must have 1 to ${MAX_PREFIX_LENGTH} letters, digits and inner underscores, not ${JSON.stringify(prefix)}`,
    );
  }
  if (!Number.isInteger(format.length) || tokenBits(format) < MIN_TOKEN_BITS) {
    problem(
      `authTokenLength must be a whole number of at least 22 characters (${MIN_TOKEN_BITS} bits; ASVS 7.2.3), not ${format.length}`,
    );
  } else if (format.length > MAX_TOKEN_LENGTH - MAX_PREFIX_LENGTH - 7) {
    problem(`authTokenLength must be at most ${MAX_TOKEN_LENGTH - MAX_PREFIX_LENGTH - 7}, not ${format.length}`);
  }
  return format;
}

/** How the tokens of a table are digested. */
export function resolveSchemes(
  options: TableOptions,
  problem: (text: string) => void,
  warn: (text: string) => void,
): ResolvedOptions['schemes'] {
  const { keys = [], formerSchemes = [] } = options;
  const keyed = resolveKeys(keys, problem);
  const [first, ...others] = [...keyed, ...resolveHash(options, keyed.length > 0, problem, warn), ...formerSchemes];
  return [first!, ...others];
}

/** The keys as objects made once: a key given as text is prepared anew for each digest. */
function resolveKeys(keys: readonly SigningKey[], problem: (text: string) => void): KeyedScheme[] {
  if (new Set(keys.map(({ id }) => id)).size < keys.length) problem('keys must have different ids');
  return keys.map(({ id, secret }) => {
    if (!KEY_ID.test(id))
      problem(`keys: an id has 1 to 32 letters, digits, hyphens or underscores, not ${JSON.stringify(id)}`);
    const bytes = typeof secret === 'string' ? Buffer.from(secret) : Buffer.from(secret ?? []);
    if (bytes.length < MIN_KEY_BYTES)
      problem(`keys: the secret of "${id}" must have at least ${MIN_KEY_BYTES} bytes, not ${bytes.length}`);
    return { key: { id, secret: createSecretKey(bytes) } };
  });
}

/** The scheme without a key: of new rows, or, beside a keyring, of older ones. */
function resolveHash(
  { hashingAlgorithm: algorithm = 'sha256', secretSalt: salt }: TableOptions,
  former: boolean,
  problem: (text: string) => void,
  warn: (text: string) => void,
): HashScheme[] {
  if (algorithm === null) {
    if (salt !== undefined)
      problem('secretSalt needs a hashingAlgorithm: a salt protects nothing that is stored in clear');
    if (!former) warn(TOKENS_IN_CLEAR);
    return [{ algorithm }];
  }
  if (salt === '') problem('secretSalt must not be empty');
  if (isOneOf(LEGACY_HASHING_ALGORITHMS, algorithm)) {
    if (former) return [{ algorithm, salt }];
    warn(readsOldRowsOnly(algorithm));
    return [
      { algorithm: 'sha256', salt },
      { algorithm, salt },
    ];
  }
  if (!isOneOf(HASHING_ALGORITHMS, algorithm)) {
    problem(
      `hashingAlgorithm must be one of ${HASHING_ALGORITHMS.join(', ')}, or null, not ${JSON.stringify(algorithm)}`,
    );
  }
  return [{ algorithm, salt }];
}

function isOneOf<T extends string>(list: readonly T[], value: string): value is T {
  return (list as readonly string[]).includes(value);
}
