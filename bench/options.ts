import { parseArgs } from 'node:util';

/** The parts of a run, in their order. */
export const SECTIONS = [
  'postgres',
  'mariadb',
  'sqlite',
  'writes',
  'signIn',
  'cache',
  'http',
  'growth',
  'pruning',
  'revocation',
] as const;
export type SectionName = (typeof SECTIONS)[number];

/** What a run measures, and how long. */
export interface BenchOptions {
  readonly quick: boolean;
  /** Rows of each table. */
  readonly rows: number;
  /** How often each contender has its turn. */
  readonly rounds: number;
  /** Length of a turn. */
  readonly seconds: number;
  /** Validations under way at once. */
  readonly atOnce: readonly number[];
  readonly sections: readonly SectionName[];
  /** Parts of the names of contenders that take part beside the baselines; none: all of them. */
  readonly contenders: readonly string[];
  /** Rows of the tables of the growth section. */
  readonly sizes: readonly number[];
  /** The folder of the report, from the project's root. */
  readonly output: string;
  /** The commit whose build is measured beside this one, in place of the sections. */
  readonly against: string | undefined;
}

const FULL = { rows: '1000000', rounds: '7', seconds: '1' };
const QUICK = { rows: '20000', rounds: '2', seconds: '0.1' };
/** What two builds are compared by: as many sessions as each process makes quickly. */
const AGAINST: { rows: string; sections: readonly SectionName[] } = {
  rows: '2000',
  sections: ['postgres', 'mariadb', 'sqlite', 'writes', 'http'],
};

/** How the options are given. */
export const USAGE = `npm run bench -- [options]
  --quick                 20,000 rows, 2 rounds of 0.1 s: checks every contender in about a minute; its figures mean nothing
  --rows <n>              rows of each table                                        default: 1000000
  --rounds <n>            turns of each contender                                   default: 7
  --seconds <n>           length of a turn                                          default: 1
  --at-once <n,n>         validations under way at once                             default: 1,16,64
  --only <name,name>      of ${SECTIONS.join(', ')}  default: all
  --contenders <a,b>      parts of contenders' names; baselines always take part    default: all
  --sizes <n,n>           rows of the tables of "growth"                            default: 1,000 to ten times the rows
  --output <folder>       where performance.md and .svg go; default: docs after a full run, else reports
  --against <commit>      in place of all that, look-ups, writes and requests by the build of a commit and by this one, side
                          by side, on 2,000 rows; --only takes databases, writes and http
  PostgreSQL and MariaDB are those of TEST_POSTGRES_URL and TEST_MARIADB_URL.`;

/** The options of the command line. @throws Error that says what is wrong */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rows: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      'at-once': { type: 'string', default: '1,16,64' },
      only: { type: 'string' },
      contenders: { type: 'string', default: '' },
      sizes: { type: 'string' },
      output: { type: 'string' },
      against: { type: 'string' },
    },
  });
  const { quick, against } = values;
  const unused = (['contenders', 'sizes', 'output'] as const).find((name) => values[name]);
  if (against !== undefined && unused) throw new Error(`--${unused} is not for --against.`);
  const { sections: known, ...defaults } = {
    sections: SECTIONS,
    ...(quick ? QUICK : FULL),
    ...(against !== undefined && AGAINST),
  };
  const rows = whole('rows', values.rows ?? defaults.rows);
  const sections = values.only === undefined ? known : listOf(values.only).map((name) => sectionOf(name, known));
  const isFull = args.every((arg) => arg.startsWith('--output'));
  return {
    quick,
    rows,
    rounds: whole('rounds', values.rounds ?? defaults.rounds),
    seconds: positive('seconds', values.seconds ?? defaults.seconds),
    atOnce: listOf(values['at-once']).map((text) => whole('at-once', text)),
    sections: SECTIONS.filter((name) => sections.includes(name)),
    contenders: listOf(values.contenders),
    sizes:
      values.sizes === undefined
        ? quick
          ? [1000, rows]
          : [1000, 100, 10, 1].map((part) => Math.ceil(rows / part)).concat(rows * 10)
        : listOf(values.sizes).map((n) => whole('sizes', n)),
    output: values.output ?? (isFull ? 'docs' : 'reports'),
    against,
  };
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function sectionOf(text: string, known: readonly SectionName[]): SectionName {
  const section = known.find((name) => name === text);
  if (!section) throw new Error(`--only takes ${known.join(', ')}, not "${text}".`);
  return section;
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Infinity)) throw new Error(`--${name} must be a number above 0, not "${text}".`);
  return value;
}

function whole(name: string, text: string): number {
  const value = positive(name, text);
  if (!Number.isInteger(value)) throw new Error(`--${name} must be a whole number, not "${text}".`);
  return value;
}
