import { CONTENDERS, OWN_NAME } from './contenders/by-database.js';
import { BARE_NAME, FEW_NAME, GUARD_NAME, HTTP_GROUPS, PG_NAME } from './http/contenders.js';
import { type Group, ratioOf, speedAgainst } from './results.js';
import { growthTitle } from './sections/growth.js';
import { validationTitle } from './sections/validation.js';
import { spreadText, type Table } from './table.js';

/** What one contender is to reach against another of its group. */
interface Target {
  readonly title: string;
  readonly contender: string;
  readonly against: string;
  readonly atLeast: number;
}

const [PG, MYSQL, SQLITE] = [CONTENDERS.postgres[0].name, CONTENDERS.mariadb[0].name, CONTENDERS.sqlite[0].name];
const FASTIFY = HTTP_GROUPS[1]!.title;

const TARGETS: readonly Target[] = [
  { title: validationTitle('postgres', 1), contender: OWN_NAME, against: PG, atLeast: 0.95 },
  { title: validationTitle('postgres', 16), contender: OWN_NAME, against: PG, atLeast: 1.5 },
  { title: validationTitle('postgres', 64), contender: OWN_NAME, against: PG, atLeast: 2 },
  { title: validationTitle('postgres', 16), contender: OWN_NAME, against: 'better-auth getSession', atLeast: 10 },
  { title: validationTitle('postgres', 16), contender: OWN_NAME, against: 'connect-pg-simple get', atLeast: 2 },
  { title: validationTitle('sqlite', 1), contender: OWN_NAME, against: SQLITE, atLeast: 0.85 },
  { title: validationTitle('mariadb', 16), contender: OWN_NAME, against: MYSQL, atLeast: 1.3 },
  { title: FASTIFY, contender: GUARD_NAME, against: PG_NAME, atLeast: 1.3 },
  { title: FASTIFY, contender: FEW_NAME, against: BARE_NAME, atLeast: 0.85 },
];

/** How much slower a look-up may be in the largest table than in the smallest. */
const MAX_GROWTH = 1.5;

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
  const growth = groups.find(({ title }) => title === growthTitle(OWN_NAME));
  if (growth) {
    const largest = growth.results.at(-1)!;
    const reached = ratioOf(growth, largest);
    rows.push([
      `${growth.title}: time at ${largest.name} against ${growth.results[0].name}`,
      `< ${MAX_GROWTH}`,
      spreadText(reached),
      met(reached.median < MAX_GROWTH),
    ]);
  }
  return { head: ['target', 'is to be', 'median [min to max]', ''], rows };
}

function met(isMet: boolean): string {
  return isMet ? 'met' : 'MISSED';
}
