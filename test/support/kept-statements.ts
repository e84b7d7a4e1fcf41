import type { DataSource } from 'typeorm';

/** Connections of a pool, as TypeORM has them by default. */
const POOL = 10;

/** A connection of mysql2, and what it takes for statements that the server keeps. */
export interface MysqlConnection {
  readonly _statements: ReadonlyMap<string, { close(): void }>;
}

/** The statements that any connection of a pool, that of the primary where there are replicas, keeps prepared on its server. */
export async function keptStatements(dataSource: DataSource): Promise<string[]> {
  const runners = Array.from({ length: POOL }, () => dataSource.createQueryRunner('master'));
  try {
    const each = await Promise.all(
      runners.map(async (runner) => {
        const connection = (await runner.connect()) as Partial<MysqlConnection>;
        if (connection['_statements']) return [...connection['_statements'].keys()];
        const rows = (await runner.query('SELECT statement FROM pg_prepared_statements')) as { statement: string }[];
        return rows.map(({ statement }) => statement);
      }),
    );
    return [...new Set(each.flat())];
  } finally {
    for (const runner of runners) await runner.release();
  }
}
