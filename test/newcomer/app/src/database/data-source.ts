import { DataSource } from 'typeorm';
import { connection } from './connection.js';

/** For the TypeORM command line, which finds entities and migrations by their files. */
export default new DataSource({
  ...connection,
  entities: ['dist/**/*.entity.js'],
  migrations: ['dist/database/migrations/*.js'],
});
