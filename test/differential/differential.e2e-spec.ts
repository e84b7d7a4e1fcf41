import { MemoryAdapter, SessionsError, type EctoAdapter, TypeOrmAdapter } from '@app/sessions';
import fc from 'fast-check';
import { DataSource, type EntitySchema } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDatabase, describeDatabases, type TestDatabase } from '../support/databases.js';
import { type Command, commandsOn } from './commands.js';
import { randomSchemas } from './schemas.js';

/** The seed of schemas and sequences; set to repeat a failure. */
const SEED = Number(process.env['DIFFERENTIAL_SEED'] ?? Date.now() % 2 ** 31);
const SCHEMAS = 25;
const SEQUENCES = Number(process.env['DIFFERENTIAL_SEQUENCES'] ?? 1000);

type Row = Record<string, unknown>;

describeDatabases(`memory and a database, seed ${SEED}`, (name) => {
  const schemas = randomSchemas(SEED, SCHEMAS);
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeAll(async () => {
    database = await createDatabase(name, { exactText: true });
    dataSource = await new DataSource({
      ...database.options,
      entities: schemas.map(({ entity }) => entity),
      synchronize: true,
    }).initialize();
  });
  afterAll(async () => {
    await dataSource?.destroy();
    await database.drop();
  });

  it.each(schemas)('agree on sequences of $entity.options.name', async (schema) => {
    await fc.assert(
      fc.asyncProperty(commandsOn(schema), async (commands) => {
        const memory = new MemoryAdapter();
        const typeorm = new TypeOrmAdapter(dataSource);
        await dataSource.createQueryBuilder().delete().from(schema.entity).execute();
        for (const command of commands) {
          const inMemory = await outcome(command, memory);
          const inDatabase = await outcome(command, typeorm);
          expect({ command: command.text, outcome: inDatabase }).toEqual({ command: command.text, outcome: inMemory });
        }
        expect(await allRows(typeorm, schema.entity)).toEqual(await allRows(memory, schema.entity));
      }),
      { seed: SEED, numRuns: Math.ceil(SEQUENCES / SCHEMAS), endOnFailure: false },
    );
  });
});

/** What came of a command: its answer, or the code of its error and the fields it names. */
async function outcome(command: Command, adapter: EctoAdapter): Promise<unknown> {
  try {
    const answer = await command.run(adapter);
    return command.ordered ? answer : unordered(answer);
  } catch (error) {
    if (!(error instanceof SessionsError)) throw error;
    // Of several unique indexes that a row violates any may be named.
    return { code: error.code, errors: Reflect.get(error, 'errors') as unknown };
  }
}

function unordered(answer: unknown): unknown {
  const { rows } = answer as { rows?: Row[] | null };
  return rows ? { ...(answer as object), rows: rows.map(textOf).toSorted() } : answer;
}

/** With keys in one order, for MySQL keeps those of JSON in one of its own. */
function textOf(row: Row): string {
  return JSON.stringify(row, (_, value: unknown) =>
    value && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

async function allRows(adapter: EctoAdapter, entity: EntitySchema): Promise<Row[] | null> {
  return (await adapter.execute(adapter.prepare('all', entity, { order: { id: 'ASC' } }))).rows;
}
