import { DataSource } from 'typeorm';
import { TypeOrmAdapter } from '@app/sessions';
import { createDatabase, describeDatabases } from '../support/databases.js';
import { adapterSuite } from './adapter-suite.js';
import { ENTITIES } from './entities.js';

describeDatabases('PARITY 2, TypeOrmAdapter', (name) => {
  adapterSuite('the port', async () => {
    const database = await createDatabase(name);
    const dataSource = await new DataSource({
      ...database.options,
      entities: ENTITIES,
      synchronize: true,
    }).initialize();
    if (name === 'postgres') await sortByDictionary(dataSource);
    return {
      adapter: new TypeOrmAdapter(dataSource),
      close: async () => {
        await dataSource.destroy();
        await database.drop();
      },
    };
  });
});

/** Text as a server with a language has it: the one under test may sort by code points of itself. */
async function sortByDictionary(dataSource: DataSource): Promise<void> {
  await dataSource.query(
    'ALTER TABLE photos ALTER title TYPE varchar(50) COLLATE "en-x-icu", ALTER caption TYPE text COLLATE "en-x-icu"',
  );
  await dataSource.query('ALTER TABLE tags ALTER name TYPE varchar(30) COLLATE "en-x-icu"');
}
