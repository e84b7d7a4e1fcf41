import { hash } from 'node:crypto';
import { In, IsNull, LessThan, Like } from 'typeorm';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import { SessionMark } from '../adapters/port/session-mark.js';

/** The time of a marked event: `at`, or with `until` any time up to that. */
export type MarkedTime = Pick<SessionMark, 'at' | 'until'>;

/** The most marks that one statement deletes. */
const BATCH = 1000;

/** The name of a mark: its kind, and a digest of its subject, which has a fixed length and reveals nothing. */
export function markName(kind: string, about: readonly unknown[]): string {
  return `${kind}:${hash('sha256', JSON.stringify(about))}`;
}

/** Reads marks by name, including those made after the surrounding transaction began. */
export async function readMarks(
  adapter: SessionsAdapter,
  names: readonly string[],
): Promise<ReadonlyMap<string, MarkedTime>> {
  const [name, ...others] = names;
  const where = { name: others.length === 0 ? name : In(names) };
  const query = adapter.prepare('all', SessionMark, { where, select: ['name', 'at', 'until'], currentRows: true });
  const { rows } = await adapter.execute(query);
  return new Map(rows!.map((row) => [row['name'] as string, row as MarkedTime]));
}

/** Writes a mark, or replaces it. */
export async function writeMark(adapter: SessionsAdapter, name: string, { at, until }: MarkedTime): Promise<void> {
  const onConflict = { update: ['at', 'until'], target: ['name'] };
  await adapter.insert(SessionMark, { name, at, until }, { onConflict, returning: [] });
}

/** Sets the final time of a mark, unless it was replaced meanwhile. */
export async function settleMark(adapter: SessionsAdapter, name: string, until: Date, at: Date): Promise<void> {
  const set = { at, until: null };
  await adapter.execute(adapter.prepare('updateAll', SessionMark, { where: { name, until }, set }));
}

/** Deletes the marks of a kind that are older than a time. */
export async function pruneMarks(adapter: SessionsAdapter, kind: string, time: Date): Promise<void> {
  const where = [
    { name: Like(`${kind}:%`), at: LessThan(time), until: IsNull() },
    { name: Like(`${kind}:%`), until: LessThan(time) },
  ];
  const query = adapter.prepare('deleteAll', SessionMark, { where, take: BATCH });
  while ((await adapter.execute(query)).count === BATCH);
}
