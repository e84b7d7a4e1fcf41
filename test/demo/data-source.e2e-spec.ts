import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dataSourceOptions } from '../../apps/demo/src/database/data-source.options.js';
import { createDatabase, describeDatabases, type TestDatabase } from '../support/databases.js';
import { DemoApp } from './support/demo-app.js';
import { Person } from './support/person.js';

describeDatabases('DATABASE_URL', (name) => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createDatabase(name);
  });
  afterEach(() => database.drop());

  it('names the database that the demo runs on', async () => {
    expect(await dataSourceOptions(database.url)).toMatchObject({ type: database.options.type });
  });

  it.each(otherSchemes(name))('may begin with %s as well, whichever server answers', async (scheme) => {
    const url = database.url.replace(/^\w+:/, scheme);
    expect(await dataSourceOptions(url)).toMatchObject({ type: database.options.type });
    const app = await DemoApp.start(url);
    const person = await Person.new(app);
    expect(await person.get('/api/me')).toMatchObject({ status: 200 });
    await app.close();
  });
});

describe('another DATABASE_URL', () => {
  it('is refused by its scheme, without showing its password', async () => {
    await expect(dataSourceOptions('oracle://user:secret@host/db')).rejects.toThrow(
      'DATABASE_URL must be memory:, or begin with postgres://, mysql://, mariadb:// or sqlite:, not with "oracle:".',
    );
  });
});

function otherSchemes(name: TestDatabase['name']): string[] {
  return { sqlite: [], postgres: ['postgresql:'], mariadb: ['mysql:'], mysql: ['mariadb:'] }[name];
}
