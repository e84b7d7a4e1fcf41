import type { Bench } from '../bench.js';
import { betterAuthSignIns, LIMIT, makeSignedIn, ownSignIns, type SignIns } from '../contenders/sign-ins.js';
import type { DatabaseName } from '../databases.js';
import type { Dataset } from '../dataset.js';
import { type Entrant, inRounds, warmUp, warmUpMs } from '../measure.js';
import { CONTROL, type Group, type Result, type Turn } from '../results.js';
import { usersOf } from '../tokens.js';
import { DATABASE_TITLES, titleAt } from './validation.js';

/** Owners who come again so often that they soon have all the sessions that they may; more than sign in at once. */
const FEW_OWNERS = 256;

export const WITHOUT_LIMIT = 'signIn without a limit';
export const WITH_LIMIT = `signIn with a limit of ${LIMIT}`;
export const BETTER_AUTH = 'better-auth createSession';

interface SignInEntry {
  readonly name: string;
  readonly own?: boolean;
  readonly fewOwners?: boolean;
  open(dataset: Dataset): Promise<SignIns>;
}

const ENTRIES: readonly SignInEntry[] = [
  { name: WITHOUT_LIMIT, own: true, open: ({ database }) => ownSignIns(database, false) },
  { name: WITH_LIMIT, own: true, open: ({ database }) => ownSignIns(database, true) },
  {
    name: `${WITH_LIMIT}, each ends the oldest`,
    own: true,
    fewOwners: true,
    open: ({ database }) => ownSignIns(database, true),
  },
  { name: BETTER_AUTH, open: betterAuthSignIns },
];

export function signInTitle(name: DatabaseName, atOnce: number): string {
  return titleAt(`${DATABASE_TITLES[name]}, signIn`, atOnce);
}

/** Sign-ins of different owners: with a limit, without one, and by others, on every database that there is. */
export async function signInSection(bench: Bench): Promise<Group[]> {
  const groups: Group[] = [];
  for (const name of ['postgres', 'mariadb', 'sqlite'] as const) groups.push(...(await compareSignIns(bench, name)));
  return groups;
}

async function compareSignIns(bench: Bench, name: DatabaseName): Promise<Group[]> {
  const dataset = await bench.dataset(name);
  if (!dataset) return [];
  await makeSignedIn(dataset);
  const { rounds, seconds, atOnce: levels } = bench.options;
  const [baseline, ...others] = ENTRIES as readonly [SignInEntry, ...SignInEntry[]];
  const opened: { readonly entry: SignInEntry; readonly signIns: SignIns }[] = [];
  try {
    for (const entry of [baseline, ...others.filter((other) => bench.isWanted(other.name))])
      opened.push({ entry, signIns: await entry.open(dataset) });
    const [first, ...rest] = opened as [(typeof opened)[0]];
    const control = { ...first, entry: { ...baseline, name: baseline.name + CONTROL } };
    const groups: Group[] = [];
    for (const atOnce of levels) {
      const title = signInTitle(name, atOnce);
      const entrants = [first, control, ...rest].map(({ entry, signIns }): Entrant => {
        const owners = entry.fewOwners ? FEW_OWNERS : usersOf(bench.options.rows);
        return {
          name: entry.name,
          own: entry.own ?? false,
          takeTurn: () => signInFor(signIns, owners, atOnce, seconds),
        };
      });
      await warmUp(entrants, bench.progress, title);
      const results = (await inRounds(entrants, rounds, bench.progress, title)) as [Result, ...Result[]];
      groups.push({ title, ratioOf: 'speed', counts: 'writes', charted: false, results });
    }
    return groups;
  } finally {
    for (const { signIns } of opened) await signIns.close();
  }
}

/** Where the owners of the next turn begin, so that those of many come as seldom as can be. */
let next = 0;

/** A turn: so many sign-ins at a time, for so long. */
async function signInFor(signIns: SignIns, owners: number, atOnce: number, seconds: number): Promise<Turn> {
  const until = async (end: number): Promise<number> => {
    let count = 0;
    const oneAfterTheOther = async (): Promise<void> => {
      while (performance.now() < end) {
        await signIns.signIn(`user-${next++ % owners}`);
        count++;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, oneAfterTheOther));
    return count;
  };
  await until(performance.now() + warmUpMs(seconds));
  const cpuBefore = process.cpuUsage();
  const begin = performance.now();
  const count = await until(begin + seconds * 1000);
  const elapsedMs = performance.now() - begin;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { perSecond: (count / elapsedMs) * 1000, cpuMicroseconds: (user + system) / count };
}
