import { CONTENDERS, OWN_NAME } from './contenders/by-database.js';
import {
  BARE_NAME,
  CACHED_GUARD_NAME,
  DATABASE_ON_FASTIFY,
  GUARD_NAME,
  MEMORY_ON_FASTIFY,
  PG_NAME,
} from './http/contenders.js';
import { type Group, msOf, ratioOf, type Result, speedAgainst } from './results.js';
import { CACHE_TITLE, CACHED_NAME, MAP_NAME } from './sections/cache.js';
import { GROWTH_AT_ONCE, growthTitle } from './sections/growth.js';
import {
  BESIDE_OLD,
  HOLD_TITLE,
  lookUpTitle,
  NO_PRUNING,
  ONE_DELETE,
  PRUNING,
  totalTitle,
} from './sections/pruning.js';
import { CACHED, REVOCATION_TITLE } from './sections/revocation.js';
import { titleAt, validationTitle } from './sections/validation.js';
import { spreadText, type Table } from './table.js';

/** What one contender is to reach against another of its group. */
interface Target {
  readonly title: string;
  readonly contender: string;
  readonly against: string;
  readonly atLeast: number;
}

const [PG, MYSQL, SQLITE] = [CONTENDERS.postgres[0].name, CONTENDERS.mariadb[0].name, CONTENDERS.sqlite[0].name];

const TARGETS: readonly Target[] = [
  { title: validationTitle('postgres', 1), contender: OWN_NAME, against: PG, atLeast: 0.95 },
  { title: validationTitle('postgres', 16), contender: OWN_NAME, against: PG, atLeast: 1.5 },
  { title: validationTitle('postgres', 64), contender: OWN_NAME, against: PG, atLeast: 2 },
  { title: validationTitle('postgres', 16), contender: OWN_NAME, against: 'better-auth getSession', atLeast: 10 },
  { title: validationTitle('postgres', 16), contender: OWN_NAME, against: 'connect-pg-simple get', atLeast: 2 },
  { title: validationTitle('sqlite', 1), contender: OWN_NAME, against: SQLITE, atLeast: 0.85 },
  { title: validationTitle('mariadb', 16), contender: OWN_NAME, against: MYSQL, atLeast: 1.3 },
  { title: titleAt(CACHE_TITLE, 1), contender: CACHED_NAME, against: MAP_NAME, atLeast: 0.7 },
  { title: DATABASE_ON_FASTIFY, contender: GUARD_NAME, against: PG_NAME, atLeast: 1.3 },
  { title: MEMORY_ON_FASTIFY, contender: CACHED_GUARD_NAME, against: BARE_NAME, atLeast: 0.85 },
];

const GROWTH_TITLES = GROWTH_AT_ONCE.map((atOnce) => growthTitle(OWN_NAME, atOnce));

/** How much slower a lookup may be in the largest table than in the smallest. */
const MAX_GROWTH = 1.5;

/** What pruning may take, in times of something else of its group. */
interface TimeTarget {
  readonly title: string;
  readonly contender: string;
  readonly against: string;
  readonly atMost: number;
}

const PRUNING_TARGETS: readonly TimeTarget[] = [
  { title: lookUpTitle('postgres'), contender: PRUNING, against: NO_PRUNING, atMost: 1.5 },
  { title: totalTitle('postgres'), contender: PRUNING, against: ONE_DELETE, atMost: 4 },
  { title: totalTitle('postgres'), contender: BESIDE_OLD, against: PRUNING, atMost: 1.5 },
];

/** How long after its revocation another process may let a session in, in milliseconds. */
const MAX_REFUSAL_MS = 50;

/** How long pruning on SQLite may hold the event loop, in milliseconds. */
const MAX_HOLD_MS = 20;

/** The targets of the project against what was measured; those of groups and contenders that were not measured are left out. */
export function targetsTable(groups: readonly Group[]): Table {
  const rows = TARGETS.flatMap(({ title, contender, against, atLeast }) => {
    const results = groups.find((group) => group.title === title)?.results ?? [];
    const [own, other] = [contender, against].map((name) => results.find((result) => result.name === name));
    if (!own || !other) return [];
    const reached = speedAgainst(own, other);
    return [
      [
        `${title}: ${contender} against ${against}`,
        `≥ ${atLeast}`,
        spreadText(reached),
        met(reached.median >= atLeast),
      ],
    ];
  });
  for (const growth of groups.filter(({ title }) => GROWTH_TITLES.includes(title))) {
    const largest = growth.results.at(-1)!;
    const reached = ratioOf(growth, largest);
    rows.push([
      `${growth.title}: time at ${largest.name} against ${growth.results[0].name}`,
      `< ${MAX_GROWTH}`,
      spreadText(reached),
      met(reached.median < MAX_GROWTH),
    ]);
  }
  rows.push(...timeRows(groups));
  return { head: ['target', 'is to be', 'median [min to max]', ''], rows };
}

function timeRows(groups: readonly Group[]): string[][] {
  const named = (title: string, name: string): Result | undefined =>
    groups.find((group) => group.title === title)?.results.find((result) => result.name === name);
  const rows = PRUNING_TARGETS.flatMap(({ title, contender, against, atMost }) => {
    const [own, other] = [named(title, contender), named(title, against)];
    if (!own || !other) return [];
    const reached = speedAgainst(other, own);
    return [
      [`${title}: ${contender} against ${against}`, `≤ ${atMost}`, spreadText(reached), met(reached.median <= atMost)],
    ];
  });
  const refused = named(REVOCATION_TITLE, CACHED);
  if (refused) {
    const times = msOf(refused);
    rows.push([
      `${REVOCATION_TITLE}: ${CACHED}, 99th percentile, ms`,
      `< ${MAX_REFUSAL_MS}`,
      spreadText(times),
      met(times.max < MAX_REFUSAL_MS),
    ]);
  }
  const held = named(HOLD_TITLE, PRUNING);
  if (!held) return rows;
  const holds = msOf(held);
  return [
    ...rows,
    [`${HOLD_TITLE}: longest hold, ms`, `≤ ${MAX_HOLD_MS}`, spreadText(holds), met(holds.max <= MAX_HOLD_MS)],
  ];
}

function met(isMet: boolean): string {
  return isMet ? 'met' : 'MISSED';
}
