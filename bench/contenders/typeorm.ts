import { hash } from 'node:crypto';
import { DataSource, EntitySchema } from 'typeorm';
import { type Contender, validRow } from '../contender.js';
import { connection, type Database } from '../databases.js';

interface SessionRow {
  readonly id: string;
  readonly authTokenDigest: Buffer;
  readonly userId: string;
  readonly data: object;
  readonly expiresAt: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const BYTES = { postgres: 'bytea', mariadb: 'varbinary', sqlite: 'blob' } as const;

/** The library's table, as one would write it by hand. */
function sessionSchema({ name }: Database): EntitySchema<SessionRow> {
  return new EntitySchema<SessionRow>({
    name: 'Session',
    tableName: 'sessions',
    columns: {
      id: { type: 'uuid', primary: true },
      authTokenDigest: { type: BYTES[name] },
      userId: { type: 'varchar' },
      data: { type: 'json' },
      expiresAt: { type: Date },
      createdAt: { type: Date },
      updatedAt: { type: Date },
    },
  });
}

/** `findOneBy` of a TypeORM repository, on the library's table. */
export async function findOneBy(database: Database): Promise<Contender> {
  const Session = sessionSchema(database);
  const dataSource = await new DataSource({ ...connection(database), entities: [Session] }).initialize();
  const repository = dataSource.getRepository(Session);
  return {
    validate: async (token) =>
      validRow(await repository.findOneBy({ authTokenDigest: hash('sha256', token, 'buffer') })),
    close: () => dataSource.destroy(),
  };
}
