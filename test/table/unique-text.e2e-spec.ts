import { Column, DataSource, Entity, PrimaryColumn } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createSessionsTable, SessionsTable, UniqueConstraintError } from '@app/sessions';
import { differences, migrate } from '../migrations/migration-fixture.js';
import { describeStorages, useApplication } from '../support/application.js';
import { createDatabase, describeDatabases, type TestDatabase } from '../support/databases.js';
import { errorOf } from '../support/sessions.js';

@Entity('users')
class User {
  @PrimaryColumn({ type: 'varchar', length: 30 })
  name!: string;

  @Column({ type: 'varchar', length: 30 })
  mail!: string;
}

class Devices extends SessionsTable({
  extraFields: {
    serial: { type: 'string', unique: true },
    userName: { type: 'string', length: 30, nullable: true },
    user: { manyToOne: () => User, joinColumn: 'userName' },
  },
}) {}

@Entity('guests')
class Guest {
  @PrimaryColumn({ type: 'varchar', length: 30 })
  name!: string;

  @Column({ type: 'varchar', length: 30 })
  town!: string;
}

class Visits extends SessionsTable({
  extraFields: {
    guestName: { type: 'string', length: 30, nullable: true },
    guest: { manyToOne: () => Guest, joinColumn: 'guestName' },
  },
}) {}

/** Texts that one collation or another takes for the same. */
const TEXTS = ['a', 'A', 'ä', 'a\u0308', 'a ', 'a  ', 'ß', 'ss', '😀', '😁', ''];

describeStorages('a unique field of text', (name) => {
  const app = useApplication(name, { tables: [Devices], entities: [User] });

  it('takes texts for the same only where they are', async () => {
    const devices = app.get(Devices);
    for (const serial of TEXTS) await devices.create({ serial });
    for (const serial of TEXTS) {
      expect(await devices.list({ serial })).toMatchObject([{ serial }]);
      expect(await errorOf(devices.create({ serial }))).toBeInstanceOf(UniqueConstraintError);
    }
  });
});

describeDatabases('a unique field of text of a table made by a migration', (name) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  beforeAll(async () => {
    database = await createDatabase(name);
    dataSource = await new DataSource({ ...database.options, entities: [User] }).initialize();
    await dataSource.synchronize();
    await migrate(dataSource, (runner) => createSessionsTable(runner, Devices));
  });
  afterAll(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });

  it('takes texts for the same only where they are', async () => {
    const { driver } = dataSource;
    const rows = TEXTS.map(
      (serial, i) =>
        `('${`${i}`.padStart(8, '0')}-0000-7000-8000-000000000000', '${i}', '${serial}', '{}', '2026-01-01', '2026-01-01')`,
    );
    const columns = ['id', 'authTokenDigest', 'serial', 'data', 'createdAt', 'updatedAt'].map((column) =>
      driver.escape(column),
    );
    await dataSource.query(`INSERT INTO sessions (${columns.join(', ')}) VALUES ${rows.join(', ')}`);
    const [row] = await dataSource.query<{ count: unknown }[]>('SELECT COUNT(*) AS count FROM sessions');
    expect(Number(row!.count)).toBe(TEXTS.length);
  });

  it('is as TypeORM would make it', async () => {
    const beside = await new DataSource({ ...database.options, entities: [User, Devices.entity] }).initialize();
    expect((await differences(beside)).filter((sql) => /sessions|users/i.test(sql))).toEqual([]);
    await beside.destroy();
  });
});

describeDatabases("a table of the application's own that sessions refer to", (name) => {
  const app = useApplication(name, { tables: [Visits], entities: [Guest] });

  it('is made and kept as its entity says, also when it has been looked at', async () => {
    const { dataSource } = app;
    await dataSource.synchronize();
    expect(await differences(dataSource)).toEqual([]);
    for (const table of ['sessions', 'guests']) await dataSource.query(`DROP TABLE ${table}`);
    const alone = await new DataSource({
      ...dataSource.options,
      entities: [Guest],
      synchronize: false,
    }).initialize();
    const made = await differences(dataSource);
    expect(made.filter((sql) => /CREATE TABLE .guests/.test(sql))).toEqual(await differences(alone));
    await alone.destroy();
  });
});
