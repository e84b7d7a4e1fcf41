import { SessionValidationError } from '../../errors/errors.js';
import { thereAre } from '../../errors/messages.js';
import { Pace } from '../../util/pace.js';
import type { Relations } from '../port/query.js';

/** Values that identify rows, in the form of the storage. */
export type Key = readonly unknown[];

/** A found row: its object for the application, and the values by which other rows are found. */
export interface Found {
  readonly entity: object;
  readonly key: Key;
}

/** A relation as an adapter sees it: rows of one table, and rows of another whose columns have the same values. */
export interface Link<T, C> {
  readonly table: T;
  /** The columns of the rows at which it starts. */
  readonly near: readonly C[];
  /** The columns of the table that equal them, in the same order. */
  readonly far: readonly C[];
  readonly toMany: boolean;
  /** Puts what is found into the row at which it starts. */
  readonly attach: (entity: object, related: unknown) => void;
  /** The rest of the way, if the table is a join table. */
  readonly onward?: Link<T, C> | undefined;
}

/** A relation of a table, and the relations to load with the rows at its end. */
export type WantedLink<T, C> = readonly [Link<T, C>, Relations];

/** The tables of an adapter, for compiling relations. */
export interface Links<T, C, L> {
  linksOf(table: T, relations: Relations): readonly WantedLink<T, C>[];
  /** Finds rows of a table by the first of these columns, and reads all of these columns. */
  lookup(link: Link<T, C>, columns: readonly C[]): L;
}

/** A compiled relation of a query: one lookup for all rows, however many. */
export interface RelationPlan<L> {
  /** The positions of the values in the keys of rows. */
  readonly from: readonly number[];
  readonly lookup: L;
  readonly toMany: boolean;
  readonly attach: (entity: object, related: unknown) => void;
  readonly nested: readonly RelationPlan<L>[];
}

/** Runs a lookup. Returns the rows that have one of these keys; their own keys start with it. */
export type ReadRelated<L> = (lookup: L, keys: readonly Key[], pace: Pace) => Promise<readonly Found[]>;

/**
 * Compiles relations.
 *
 * @param wanted the relations of a table, with the nested ones
 * @param columns the key columns of the table's rows, `undefined` for other values; missing ones are added
 */
export function planRelations<T, C, L>(
  links: Links<T, C, L>,
  wanted: readonly WantedLink<T, C>[],
  columns: (C | undefined)[],
): RelationPlan<L>[] {
  return wanted.map(([link, nested]) => planLink(links, link, nested, columns));
}

function planLink<T, C, L>(
  links: Links<T, C, L>,
  link: Link<T, C>,
  relations: Relations,
  columns: (C | undefined)[],
): RelationPlan<L> {
  const from = link.near.map((column) => {
    const at = columns.indexOf(column);
    return at < 0 ? columns.push(column) - 1 : at;
  });
  const read = [...link.far];
  const nested = link.onward
    ? [planLink(links, link.onward, relations, read)]
    : planRelations(links, links.linksOf(link.table, relations), read);
  return { from, lookup: links.lookup(link, read), toMany: link.toMany, attach: link.attach, nested };
}

/** The link through a join table: to its rows, and from each of them to one of the other table. */
export function linkThrough<T, C>(
  first: Pick<Link<T, C>, 'table' | 'near' | 'far' | 'attach'>,
  onward: Pick<Link<T, C>, 'table' | 'near' | 'far'>,
): Link<T, C> {
  interface Between {
    other?: unknown;
  }
  return {
    ...first,
    toMany: true,
    attach: (entity, between) => {
      const others = (between as Between[]).map(({ other }) => other);
      first.attach(
        entity,
        others.filter((other) => other !== null),
      );
    },
    onward: {
      ...onward,
      toMany: false,
      attach: (between, other) => {
        (between as Between).other = other;
      },
    },
  };
}

/** The most values in one lookup. */
const VALUES = 500;

/** A key of rows, and what a lookup finds for it. */
interface Related {
  readonly key: Key;
  readonly found: object[];
}

/**
 * Loads relations into rows, level by level: the distinct keys of all rows find the rows of the next level. A row that
 * several rows lead to is one object.
 */
export async function attachRelations<L>(
  read: ReadRelated<L>,
  rows: readonly Found[],
  plans: readonly RelationPlan<L>[],
  pace = new Pace(),
): Promise<void> {
  for (const { from, lookup, toMany, attach, nested } of plans) {
    const related = new Map<unknown, Related>();
    const ofRows: (Related | undefined)[] = [];
    for (const { key } of rows) {
      if (pace.isDue) await pace.turn();
      ofRows.push(relatedTo(key, from, related));
    }
    const keys = Array.from(related.values(), ({ key }) => key);
    const found = await readAll(read, lookup, keys, pace);
    await attachRelations(read, found, nested, pace);
    const first = [...from.keys()];
    for (const { entity, key } of found) {
      if (pace.isDue) await pace.turn();
      related.get(identityAt(key, first))?.found.push(entity);
    }
    for (let i = 0; i < rows.length; i++) {
      if (pace.isDue) await pace.turn();
      const others = ofRows[i]?.found ?? [];
      attach(rows[i]!.entity, toMany ? [...others] : (others[0] ?? null));
    }
  }
}

/** What is found for the values at some positions of a row's key, the same for all equal ones; nothing if one is null. */
function relatedTo(key: Key, from: readonly number[], related: Map<unknown, Related>): Related | undefined {
  for (const at of from) if (key[at] === null) return undefined;
  const id = identityAt(key, from);
  let one = related.get(id);
  if (!one) related.set(id, (one = { key: from.map((at) => key[at]), found: [] }));
  return one;
}

async function readAll<L>(read: ReadRelated<L>, lookup: L, keys: readonly Key[], pace: Pace): Promise<Found[]> {
  const found: Found[] = [];
  const size = Math.floor(VALUES / (keys[0]?.length ?? 1));
  for (let start = 0; start < keys.length; start += size) {
    for (const one of await read(lookup, keys.slice(start, start + size), pace)) found.push(one);
  }
  return found;
}

/** A value by which keys are compared. Of two columns, one may have as text what the other has as a number. */
export function identityOf(key: Key): unknown {
  return key.length === 1 ? textOf(key[0]) : JSON.stringify(key.map(textOf));
}

/** The same for the key at some positions among values. */
export function identityAt(values: Key, places: readonly number[]): unknown {
  return places.length === 1 ? textOf(values[places[0]!]) : identityOf(places.map((place) => values[place]));
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return value instanceof Date ? value.toISOString() : String(value);
}

/** The error for a relation that a table lacks. */
export function noRelation(table: string, names: readonly string[], relations: Iterable<string>): Error {
  const problem = `is no relation ${thereAre([...relations])}`;
  return new SessionValidationError(table, Object.fromEntries(names.map((name) => [name, problem])));
}
