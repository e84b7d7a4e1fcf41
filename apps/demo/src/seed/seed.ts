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

/** Sessions that are written at once. */
const BATCH = 5000;
/** Sessions of a demo that is started for the first time. */
const FIRST_SESSIONS = 400;

export interface SeedOptions {
  /** How many sessions there are to be. */
  readonly sessions: number;
  /** Whether a database may be used that has other people in it. */
  readonly besideOthers?: boolean;
  readonly now?: Date;
  readonly onProgress?: (written: number, total: number) => void;
}

/** What a seed has done. */
export interface Seeded {
  readonly people: number;
  readonly sessions: number;
  /** People of an earlier seed, who went with all that they had. */
  readonly replaced: number;
}

/**
 * Fills a storage that nobody has signed up in, so that there is something to look at. Not a server's, which is somebody's.
 *
 * @returns whether it did
 */
export async function seedIfNew(storage: EctoAdapter, databaseUrl: string): Promise<boolean> {
  if (!/^(?:sqlite|memory):/.test(databaseUrl) || (await countUsers(storage, {})) > 0) return false;
  await seed(storage, { sessions: FIRST_SESSIONS });
  return true;
}

/**
 * Fills the demo's storage with data worth looking at, instead of what an earlier seed left there.
 *
 * @throws Error where other people are in it, unless that is meant
 */
export async function seed(storage: EctoAdapter, options: SeedOptions): Promise<Seeded> {
  const { sessions: total, besideOthers = false, now = new Date(), onProgress } = options;
  const others = await countUsers(storage, { email: Not(Like(`%@${DOMAIN}`)) });
  if (others > 0 && !besideOthers) {
    throw new Error(`The database has people in it that no seed made (${others}): say --beside-others to add to them.`);
  }
  const seeded = { where: { email: Like(`%@${DOMAIN}`) } };
  // What belongs to them goes by the foreign keys.
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
  // What was counted of other people is not for a seed to change.
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
