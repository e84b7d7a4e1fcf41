import { SessionsConfigError, SessionValidationError } from './errors.js';
import { didYouMean, NO_OBJECT, noOption, thereAre, unlike, wrongType } from './messages.js';
import { isRecord, type OptionType, type OptionTypes, typeOf } from './option-types.js';

/** The share of a name that may be mistyped, besides one letter of any name. */
const WRONG = 0.3;

/** Checks and returns the options of a call. @throws SessionValidationError naming unknown ones */
export function knownOptions<T extends object>(
  table: string,
  options: T,
  known: Readonly<Record<keyof T, unknown>>,
): T {
  const unknown = isRecord(options)
    ? unknownOptions(options, known)
    : [['options', unlike(NO_OBJECT, options)] as const];
  if (unknown.length > 0) throw new SessionValidationError(table, Object.fromEntries(unknown));
  return options;
}

/**
 * Checks and returns the options of an object that an application creates.
 *
 * @throws SessionsConfigError naming wrong ones
 */
export function configured<T extends object>(
  what: string,
  options: T,
  known: Readonly<Record<keyof T, OptionType>>,
): T {
  const problems = problemsOfOptions('', options, known);
  if (problems.length > 0) throw new SessionsConfigError(problems.map((problem) => `${what}: ${problem}`));
  return options;
}

/**
 * The problems with names and types of the options at a place, such as `cookie`, nested ones included; empty if no
 * options were given.
 */
export function problemsOfOptions(place: string, options: unknown, known: OptionTypes): string[] {
  if (options === undefined) return [];
  if (!isRecord(options)) return [`${place} ${unlike(NO_OBJECT, options)}`.trimStart()];
  const path = place === '' ? '' : `${place}.`;
  const names = unknownOptions(options, known).map(([name, problem]) => `${path}${name} ${problem}`);
  const given = options as Readonly<Record<string, unknown>>;
  const types = Object.keys(known).flatMap((name) =>
    problemsOfValue(`${path}${name}`, given[name], typeOf(known, name)),
  );
  return [...names, ...types];
}

function problemsOfValue(path: string, value: unknown, type: OptionType): string[] {
  if (value === undefined || type === true) return [];
  if ('is' in type) return type.is(value) ? [] : [`${path} ${wrongType(type.what, value)}`];
  if ('options' in type) return type.or?.(value) ? [] : problemsOfOptions(path, value, type.options);
  if (!Array.isArray(value)) return [`${path} ${wrongType('a list', value)}`];
  return value.flatMap((item: unknown) => {
    const own = type.each(item);
    return own ? problemsOfOptions(path, item ?? null, own) : [];
  });
}

/** The name of which another one is a typo, ignoring case; `undefined` if all are too different. */
export function nearestOf(name: string, names: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let least = Infinity;
  for (const other of names) {
    const allowed = Math.max(1, WRONG * Math.max(name.length, other.length));
    // Skip names of very different lengths: one may come from a client and be long.
    if (Math.abs(name.length - other.length) > allowed) continue;
    const count = slips(name.toLowerCase(), other.toLowerCase());
    if (count <= allowed && count < least) [nearest, least] = [other, count];
  }
  return nearest;
}

/** An unknown name counts only with a value. An instance of a class may have what its class has. */
function unknownOptions(options: object, known: object): (readonly [name: string, problem: string])[] {
  const prototype: unknown = Object.getPrototypeOf(options);
  if (prototype !== Object.prototype && prototype !== null) return [];
  const unknown = Object.keys(options).filter((name) => !Object.hasOwn(known, name));
  return unknown
    .filter((name) => (options as Readonly<Record<string, unknown>>)[name] !== undefined)
    .map((name) => [name, noOption(hint(name, Object.keys(known)))]);
}

/** Suggests a name for an unknown one: the one that it is a typo of, else all names. */
export function hint(name: string, names: readonly string[]): string {
  const nearest = nearestOf(name, names);
  return nearest === undefined ? thereAre(names) : didYouMean(nearest);
}

/** The fewest letters to delete, insert, replace, or swap with the next one (optimal string alignment). */
function slips(from: string, to: string): number {
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = last[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      const exchanged = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      row.push(Math.min(last[j]! + 1, row[j - 1]! + 1, replaced, exchanged ? before[j - 2]! + 1 : Infinity));
    }
    [before, last] = [last, row];
  }
  return last[to.length]!;
}
