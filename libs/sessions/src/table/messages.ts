import { shown } from '../errors/messages.js';

// Problems with definitions.
export const noName = (option: string, given: string): string => `${option} ${shown(given)} is no name`;

export const noColumn = (name: string): string => `columns: "${name}" is no column of the table`;

// Problems with keys.
export const inKey = (problem: string): string => `columns.id: ${problem}`;

export const NO_KEY_TYPE = 'a key is a uuid, a whole number, text or bytes, and of no other type';
export const NO_KEY_LENGTH = 'a type of a fixed length needs a length, such as 26 for a ULID in a char';
export const KEY_HOLDS_NO_UUID =
  "is too short for a UUID: set generate to a function that makes keys, such as () => ulid(), or to 'database' if that makes them";

export const noKey = (given: unknown): string =>
  `generate gave ${shown(given)}, which is no key of its type and length`;
export const inColumn = (name: string, problem: string): string => `columns.${name}: ${problem}`;

export const otherValues = (type: unknown, given: string, said: string): string =>
  `its type ${shown(type)} has ${given} in JavaScript, but its field has ${said}: change one of them, or give the field a transformer`;

export const noForm = (given: unknown, all: readonly unknown[]): string =>
  all.length === 0
    ? 'form is for columns of times and of digests'
    : `form must be one of ${all.map(shown).join(', ')}, not ${shown(given)}`;

export const NO_PRECISION = 'precision is for columns of times';
export const PRECISION_OF_FORM = 'give form or precision, not both: the form tells the precision';

export const wrongPrecision = (given: unknown): string =>
  `precision must be a whole number from 0 to 6, not ${shown(given)}`;

// Problems with digest columns.
export const digestsTooLong = (form: string, longest: number, length: number): string => {
  const unit = form === 'base64url' ? 'characters' : 'bytes';
  return `it has ${length} ${unit}, but digests with these hashing options have up to ${longest}: make it longer`;
};

export const digestsUneven = (length: number): string =>
  `it pads digests to ${length} bytes, but with these hashing options they have other lengths: make it varbinary`;

export const digestsDiffer = (other: string): string => `it must hold digests in the form in which ${other} does`;

export const tokensAsBytes = (form: string): string =>
  `it holds digests as ${form === 'base64url' ? form : 'bytes'}, but with these hashing options the table holds tokens in clear, which need text: set them in its definition, not in forRoot, before the table is created`;

export const noLastUseInterval = (given: unknown): string =>
  `lastUse.interval must be a number of seconds, or text such as '5m', not ${shown(given)}`;

export const noReason = (longest: number, given: string): string =>
  `revocation.reasons: ${shown(given)} is not up to ${longest} of a-z, 0-9 and _`;

export const NO_SCOPES = 'scopes must name at least one scope';

export const noScope = (given: string): string =>
  `scopes: ${shown(given)} must be printable ASCII without spaces, quotes, backslashes and *`;

export const noDataLoading = (all: readonly string[]): string => `data must be one of ${all.join(', ')}`;

export const ownerUnknown = (given: unknown): string => `owner: ${shown(given)} is no extra field of the table`;

export const ownerJson = (name: string): string => `owner: "${name}" is JSON, which is not compared as a whole`;

// Problems with session limits.
export const inLimit = (field: string, problem: string): string => `sessionLimits.${field}: ${problem}`;

export const LIMIT_OF_NO_FIELD = 'is no extra field of the table';
export const LAST_USE_NEEDED = "whenFull: 'endLeastRecentlyUsed' needs lastUse in the definition of the table";

export const noMax = (given: unknown): string => `max must be a whole number of at least 1, not ${shown(given)}`;

export const noPolicy = (all: readonly string[]): string => `whenFull must be one of ${all.join(', ')}`;

// Problems with extra fields and relations.
export const builtIn = (name: string): string =>
  `extraFields: "${name}" is built into every session; choose another name`;

export const noIdentifier = (name: string): string => `extraFields: "${name}" is no name that a field can have`;

export const inField = (name: string, problem: string): string => `extraFields.${name}: ${problem}`;

export const ENUM_WITHOUT_VALUES = 'an enum needs its values';
export const ENUM_VALUES = 'the values of an enum must be text without quotes and backslashes';
export const NO_LENGTH = 'a length is a whole number of at least 1, of a string';
export const DEFAULT_NULL = 'the default is null, but the field is not nullable';
export const DEFAULT_IMPOSSIBLE = 'the default is no value of the field';

export const noFieldType = (all: readonly string[], given: unknown): string =>
  `the type must be one of ${all.join(', ')}, not ${shown(given)}`;

export const noDefault = (problem: string): string => `the default ${problem}`;

export const INVERSE_NEEDED = 'oneToMany needs inverse, the property of the entity that leads back';
export const JOIN_COLUMN_NEEDED = 'needs joinColumn, the extra field that holds the key';

export const noKind = (kinds: readonly string[]): string => `give a type, or one of ${kinds.join(', ')}`;

export const joinColumnTaken = (name: string): string => `joinColumn "${name}" is that of another relation`;

export const joinColumnUnknown = (name: string): string => `joinColumn "${name}" is no extra field; add it`;
