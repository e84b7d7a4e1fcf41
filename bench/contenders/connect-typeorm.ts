import { DataSource, EntitySchema } from 'typeorm';
import type { Contender } from '../contender.js';
import { connection, type Database } from '../databases.js';
import type { Dataset } from '../dataset.js';
import { peer } from '../peers.js';
import { expressSessionSql, storeContender } from './express-store.js';

const TABLE = 'typeorm_sessions';

/** The entity of its README. */
const Session = new EntitySchema<{ id: string; expiredAt: number; json: string; destroyedAt: Date | null }>({
  name: 'ExpressSession',
  tableName: TABLE,
  columns: {
    id: { type: 'varchar', length: 255, primary: true },
    expiredAt: { type: 'bigint' },
    json: { type: 'text' },
    destroyedAt: { type: Date, nullable: true, deleteDate: true },
  },
  indices: [{ columns: ['expiredAt'] }],
});

/** Makes its table and fills it. */
export async function fillConnectTypeorm(dataset: Dataset): Promise<void> {
  const create = async (): Promise<void> => {
    const options = { ...connection(dataset.database), entities: [Session], synchronize: true };
    await (await new DataSource(options).initialize()).destroy();
  };
  await dataset.fill(create, [
    {
      table: TABLE,
      rows: dataset.rows,
      columns: (sql) => ({ id: sql.token, expiredAt: sql.expiresAtMs, json: expressSessionSql(sql) }),
    },
  ]);
}

/** `get` of connect-typeorm. */
export async function connectTypeorm(database: Database): Promise<Contender> {
  const { TypeormStore } = await peer('connect-typeorm');
  const dataSource = await new DataSource({ ...connection(database), entities: [Session] }).initialize();
  const store = new TypeormStore({ cleanupLimit: 0 }).connect(dataSource.getRepository(Session));
  return storeContender(store, () => dataSource.destroy());
}
