/** What options there are, and what each takes: a constant beside their interface, which `satisfies Record<keyof …, OptionType>`. */
export type OptionTypes = Readonly<Record<string, OptionType>>;

/** What an option takes; `true`: what a check of its own tells. */
export type OptionType = true | SimpleType | OptionsInside | ListOf;

/** A value that is not looked into. */
export interface SimpleType {
  readonly is: (value: unknown) => boolean;
  /** As after "must be". */
  readonly what: string;
}

/** Options of their own, or something else. */
interface OptionsInside {
  readonly options: OptionTypes;
  readonly or?: (value: unknown) => boolean;
}

/** A list of options; of an item that are none a check of its own tells. */
interface ListOf {
  readonly each: (item: unknown) => OptionTypes | undefined;
}

export const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
export const isText = (value: unknown): value is string => typeof value === 'string';

export const BOOLEAN: SimpleType = { is: isBoolean, what: 'true or false' };
export const TEXT: SimpleType = { is: isText, what: 'text' };
export const NUMBER: SimpleType = { is: (value) => typeof value === 'number', what: 'a number' };
export const FUNCTION: SimpleType = { is: (value) => typeof value === 'function', what: 'a function' };
export const OBJECT: SimpleType = { is: isObject, what: 'an object' };
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

/** The same type with null; its text says so already. */
export function orNull({ is, what }: SimpleType): SimpleType {
  return { is: (value) => value === null || is(value), what };
}

/** Whether a function is a class, which nobody can call. */
export function isClass(value: unknown): boolean {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}

/** Whether a value can be options, or any other names and values. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The options of the right types, so that their values can be checked although others are of wrong ones. */
export function rightlyTyped<T extends object>(options: T, known: OptionTypes): T {
  const entries = Object.entries(options);
  const parts = entries.map(([name, value]): [string, unknown] => [name, partOf(value, typeOf(known, name))]);
  if (parts.every(([, part], i) => part === entries[i]![1])) return options;
  return Object.fromEntries(parts.filter(([, part]) => part !== undefined)) as T;
}

/** The type of an option; none is looked at of one that there is not. */
export function typeOf(known: OptionTypes, name: string): OptionType {
  return Object.hasOwn(known, name) ? known[name]! : true;
}

/** What is right of a value; `undefined` where nothing is. */
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
  return right.length === value.length && right.every((item, i) => item === value[i]) ? value : right;
}
