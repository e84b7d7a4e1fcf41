/** The options of an interface and their types: a constant beside it that `satisfies Record<keyof …, OptionType>`. */
export type OptionTypes = Readonly<Record<string, OptionType>>;

/** The type of an option; `true` if its own check reports problems. */
export type OptionType = true | SimpleType | OptionsInside | ListOf;

/** A value without options inside. */
export interface SimpleType {
  readonly is: (value: unknown) => boolean;
  /** The text after "must be". */
  readonly what: string;
}

/** Nested options, or something else. */
interface OptionsInside {
  readonly options: OptionTypes;
  readonly or?: (value: unknown) => boolean;
}

/** A list of options. For an item without options, its own check reports problems. */
interface ListOf {
  readonly each: (item: unknown) => OptionTypes | undefined;
}

export const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
export const isText = (value: unknown): value is string => typeof value === 'string';

export const BOOLEAN: SimpleType = { is: isBoolean, what: 'true or false' };
export const TEXT: SimpleType = { is: isText, what: 'text' };
export const NUMBER: SimpleType = { is: (value) => typeof value === 'number', what: 'a number' };
export const FUNCTION: SimpleType = { is: (value) => typeof value === 'function', what: 'a function' };
export const OBJECT: SimpleType = { is: isRecord, what: 'an object' };
export const TEXTS: SimpleType = {
  is: (value) => Array.isArray(value) && value.every(isText),
  what: 'a list of texts',
};

/** An object that has these methods. */
export function objectWith(what: string, ...methods: readonly string[]): SimpleType {
  const is = (value: unknown): boolean =>
    isObject(value) && methods.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');
  return { is, what };
}

/** The same type or null. The text already says so. */
export function orNull({ is, what }: SimpleType): SimpleType {
  return { is: (value) => value === null || is(value), what };
}

/** Whether a function is a class, which cannot be called. */
export function isClass(value: unknown): boolean {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}

/** Whether a value is an object, and no list. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Whether a value is a collection of names and values, plain or of a class. A promise that nobody has awaited, a Map or a
 * Date is not, and must not pass for an empty one.
 */
export function isRecord(value: unknown): value is object {
  if (!isObject(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || tagOf(value) === 'Object';
}

/** The kind of an object that the language or a library has a name for: `Promise`, `Map`, `Date`; else `Object`. */
export function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

/** Keeps only options of the right types, so that their values can be checked even if others are wrong. */
export function rightlyTyped<T extends object>(options: T, known: OptionTypes): T {
  const entries = Object.entries(options);
  const parts = entries.map(([name, value]): [string, unknown] => [name, partOf(value, typeOf(known, name))]);
  if (parts.every(([, part], i) => part === entries[i]![1])) return options;
  return Object.fromEntries(parts.filter(([, part]) => part !== undefined)) as T;
}

/** The type of an option. Unknown options are not checked. */
export function typeOf(known: OptionTypes, name: string): OptionType {
  return Object.hasOwn(known, name) ? known[name]! : true;
}

/** The valid part of a value; `undefined` if there is none. */
function partOf(value: unknown, type: OptionType): unknown {
  if (value === undefined || type === true) return value;
  if ('is' in type) return type.is(value) ? value : undefined;
  if ('options' in type) {
    if (type.or?.(value)) return value;
    return isObject(value) ? rightlyTyped(value, type.options) : undefined;
  }
  if (!Array.isArray(value)) return undefined;
  const right = value.flatMap((item: unknown) => {
    const own = type.each(item);
    return own === undefined ? [item] : isObject(item) ? [rightlyTyped(item, own)] : [];
  });
  if (right.length === value.length && right.every((item, i) => item === value[i])) return value;
  return right.length > 0 ? right : undefined;
}
