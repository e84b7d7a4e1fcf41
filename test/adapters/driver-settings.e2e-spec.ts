import pg from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TypeOrmAdapter } from '@app/sessions';
import { createDatabase, type DatabaseName, isMysql, SERVERS } from '../support/databases.js';
import { ENTITIES, Photo } from './entities.js';
import { AdapterFixture } from './harness.js';
import { inserting } from './suite/inserting.js';
import { streaming } from './suite/streaming.js';
import { storing } from './suite/storing.js';

const OF_MYSQL2 = [
  ['numbers as text', { supportBigNumbers: true, bigNumberStrings: true }],
  [
    'decimals as numbers, dates and JSON as text',
    { dateStrings: true, extra: { decimalNumbers: true, jsonStrings: true } },
  ],
  [
    'booleans of its own',
    {
      extra: {
        typeCast: (field: { type: string; length: number; string(): string | null }, next: () => unknown) =>
          field.type === 'TINY' && field.length === 1 ? field.string() === '1' : next(),
      },
    },
  ],
] as const;

/** What applications ask of drivers, by which the same value comes in another form. */
const SETTINGS: readonly (readonly [DatabaseName, string, object])[] = [
  [
    'postgres',
    'fewer digits and other forms of text',
    {
      extra: {
        options: '-c extra_float_digits=0 -c bytea_output=escape -c datestyle=german -c timezone=Asia/Kathmandu',
      },
    },
  ],
  ...SERVERS.filter(isMysql).flatMap((name) => OF_MYSQL2.map(([title, settings]) => [name, title, settings] as const)),
  [
    'sqlite',
    'whole numbers as bigints',
    { prepareDatabase: (database: { defaultSafeIntegers(): void }) => database.defaultSafeIntegers() },
  ],
];

/** Parsers of pg, which a process has once for all its data sources. */
const PARSERS: Readonly<Record<number, (text: string) => unknown>> = {
  [pg.types.builtins.INT8]: BigInt,
  [pg.types.builtins.INT4]: BigInt,
  [pg.types.builtins.NUMERIC]: Number.parseFloat,
  [pg.types.builtins.JSON]: String,
  [pg.types.builtins.JSONB]: String,
  [pg.types.builtins.TIMESTAMP]: String,
  [pg.types.builtins.TIMESTAMPTZ]: String,
  [pg.types.builtins.FLOAT8]: String,
};

function withParsers(): void {
  const before = new Map<number, unknown>();
  beforeAll(() => {
    for (const [oid, parse] of Object.entries(PARSERS)) {
      before.set(Number(oid), pg.types.getTypeParser(Number(oid)));
      pg.types.setTypeParser(Number(oid), parse);
    }
  });
  afterAll(() => {
    for (const [oid, parse] of before) pg.types.setTypeParser(oid, parse as never);
  });
}

const ALL = [...SETTINGS, ['postgres', 'parsers of its own', {}] as const];

describe.each(ALL)('on %s with %s', (name, title, settings) => {
  if (title === 'parsers of its own') withParsers();
  const db = new AdapterFixture(async () => {
    const database = await createDatabase(name);
    const options = { ...database.options, ...settings, entities: ENTITIES, synchronize: true } as DataSourceOptions;
    const dataSource = await new DataSource(options).initialize();
    return {
      adapter: new TypeOrmAdapter(dataSource),
      close: async () => {
        await dataSource.destroy();
        await database.drop();
      },
    };
  });

  storing(db);
  inserting(db);
  streaming(db);

  it('rows are counted', async () => {
    await db.photos('a', 'b');
    expect(await db.count(Photo)).toBe(2);
    expect(await db.deleteAll(Photo)).toBe(2);
  });
});
