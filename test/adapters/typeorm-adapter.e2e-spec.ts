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
    return {
      adapter: new TypeOrmAdapter(dataSource),
      close: async () => {
        await dataSource.destroy();
        await database.drop();
      },
    };
  });
});
