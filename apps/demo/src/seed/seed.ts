import type { EctoAdapter } from '@app/sessions';
import { Like, Not } from 'typeorm';
import { Activity } from '../activity/activity.entity.js';
import { ApiKeys } from '../projects/api-keys.js';
import { Project } from '../projects/project.entity.js';
import { Sessions } from '../sessions/sessions.js';
import { DailyCount } from '../statistics/daily-count.entity.js';
import { User } from '../users/user.entity.js';
import { PastDays } from './past-days.js';
import { DOMAIN, peopleOf, type Person } from './people.js';
import { updatePlannerStatistics } from './planner-statistics.js';

type Row = Record<string, unknown>;

/** The number of sessions per batch. */
const BATCH = 5000;
/** The number of sessions when the demo starts for the first time. */
const FIRST_SESSIONS = 400;

export interface SeedOptions {
  /** How many sessions to create. */
  readonly sessions: number;
  /** Whether the database may have other users. */
  readonly besideOthers?: boolean;
  readonly now?: Date;
  readonly onProgress?: (written: number, total: number) => void;
}

/** The result of a seed. */
export interface Seeded {
  readonly people: number;
  readonly sessions: number;
  /** People of an earlier seed, who were deleted with everything that belonged to them. */
  readonly replaced: number;
}

/**
 * Adds sample data to a file or memory without users. It does not touch a database server.
 *
 * @returns whether it added data
 */
export async function seedIfNew(storage: EctoAdapter, databaseUrl: string): Promise<boolean> {
  if (!/^(?:sqlite|memory):/.test(databaseUrl) || (await countUsers(storage, {})) > 0) return false;
  await seed(storage, { sessions: FIRST_SESSIONS });
  return true;
}

/**
 * Adds sample data to the demo's storage, and deletes that of an earlier seed.
 *
 * @throws Error if there are other users, unless `besideOthers` allows them
 */
export async function seed(storage: EctoAdapter, options: SeedOptions): Promise<Seeded> {
  const { sessions: total, besideOthers = false, now = new Date(), onProgress } = options;
  const others = await countUsers(storage, { email: Not(Like(`%@${DOMAIN}`)) });
  if (others > 0 && !besideOthers) {
    throw new Error(
      `The database has users that no seed created (${others}): use --beside-others to add sample data beside them.`,
    );
  }
  const seeded = { where: { email: Like(`%@${DOMAIN}`) } };
  // The foreign keys delete what belongs to them.
  const { count: replaced } = await storage.execute(storage.prepare('deleteAll', User, seeded));

  const days = new PastDays();
  let people: Person[] = [];
  let written = 0;
  let count = 0;
  for await (const person of peopleOf(total, now, () => storage.autogenerate('binaryId'))) {
    people.push(person);
    for (const { createdAt } of person.sessions) days.add(createdAt);
    const sessions = people.reduce((sum, one) => sum + one.sessions.length, 0);
    if (sessions < BATCH && written + sessions < total) continue;
    await write(storage, people);
    written += sessions;
    count += people.length;
    people = [];
    onProgress?.(written, total);
  }
  // Counts that include other users stay as they are.
  if (others === 0) {
    const onConflict = { update: ['created', 'pruned'], target: ['day'] };
    await storage.insertAll(DailyCount, days.counts() as unknown[] as Row[], { onConflict });
  }
  await updatePlannerStatistics(storage);
  return { people: count, sessions: written, replaced };
}

/** In the order in which they refer to each other. */
async function write(storage: EctoAdapter, people: readonly Person[]): Promise<void> {
  await storage.insertAll(
    User,
    people.map(({ user }) => user),
  );
  await storage.insertAll(
    Sessions.entity,
    people.flatMap(({ sessions }) => sessions),
  );
  await storage.insertAll(
    Activity,
    people.flatMap(({ activity }) => activity),
  );
  await storage.insertAll(
    Project,
    people.flatMap(({ projects }) => projects),
  );
  await storage.insertAll(
    ApiKeys.entity,
    people.flatMap(({ keys }) => keys),
  );
}

async function countUsers(storage: EctoAdapter, where: Row): Promise<number> {
  const { count } = await storage.execute(storage.prepare('all', User, { where, count: true }));
  return count;
}
