import { Column, DataSource, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SessionMark, TypeOrmAdapter } from '@app/sessions';
import type { ColumnFacts, DatabaseFacts, TableFacts } from '../../libs/sessions/src/adapters/port/table-facts.js';
import {
  createDatabase,
  type DatabaseName,
  describeDatabases,
  mysqlAlike,
  type TestDatabase,
} from '../support/databases.js';
import { notAllowed, QueryLog } from '../support/query-log.js';

@Entity('owners')
class Owner {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  id!: string;
}

@Entity('looked_at')
@Index('both', ['ownerId', 'Name'])
class LookedAt {
  @PrimaryColumn({ type: 'int', generated: true })
  id!: number;

  @Column({ type: 'varchar', length: 40, unique: true })
  Name!: string;

  @Column({ type: Date, precision: 3, nullable: true })
  at!: Date | null;

  @Column({ type: 'decimal', precision: 12, scale: 2, default: 1 })
  price!: string;

  @Column({ type: 'varchar', length: 36 })
  ownerId!: string;

  @ManyToOne(() => Owner)
  @JoinColumn({ name: 'ownerId' })
  owner!: Owner;
}

@Entity('not_there')
class NotThere {
  @PrimaryColumn({ type: 'int' })
  id!: number;
}

@Entity('seen')
class Seen {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  id!: string;
}

/** How each database calls the types of the columns above. */
const TYPES: Readonly<Record<DatabaseName, Readonly<Record<string, string>>>> = mysqlAlike({
  postgres: {
    id: 'integer',
    Name: 'character varying',
    at: 'timestamp without time zone',
    price: 'numeric',
    ownerId: 'character varying',
  },
  mariadb: { id: 'int', Name: 'varchar', at: 'datetime', price: 'decimal', ownerId: 'varchar' },
  sqlite: { id: 'integer', Name: 'varchar', at: 'datetime', price: 'decimal', ownerId: 'varchar' },
});

describeDatabases('a look at tables', (name) => {
  const log = new QueryLog();
  let database: TestDatabase;
  let dataSource: DataSource;
  let facts: DatabaseFacts;
  let table: TableFacts;
  beforeAll(async () => {
    database = await createDatabase(name);
    const entities = [LookedAt, Owner, NotThere, Seen];
    dataSource = new DataSource({ ...database.options, entities, synchronize: true, logger: log, logging: true });
    await dataSource.initialize();
    for (const gone of ['not_there', 'seen']) await dataSource.query(`DROP TABLE ${gone}`);
    await dataSource.query('CREATE VIEW seen AS SELECT id FROM owners');
    facts = await new TypeOrmAdapter(dataSource).look([LookedAt, NotThere, SessionMark]);
    table = facts.tables.get(LookedAt)!;
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  const column = (property: string): ColumnFacts => table.columns.get(property)!;

  it('finds the types of columns, and how much they hold', () => {
    expect(Object.fromEntries([...table.columns].map(([key, { type }]) => [key, type]))).toEqual(TYPES[name]);
    expect(column('Name')).toMatchObject({ length: 40, nullable: false, hasDefault: false });
    expect(column('at')).toMatchObject({ precision: 3, nullable: true, hasDefault: false });
    expect(column('price')).toMatchObject({ precision: 12, scale: 2, hasDefault: true });
    expect(column('Name').characterSet ?? 'utf8').toMatch(/^utf8/i);
  });

  it('finds the key, and that the database makes it', () => {
    expect([table.kind, table.primary, column('id').generated]).toEqual(['table', ['id'], 'ifNotGiven']);
  });

  it('finds the indexes', () => {
    const found = table.indexes!.map(({ columns, unique, primary, valid }) => ({ columns, unique, primary, valid }));
    const [key, text, both] = [['id'], ['Name'], ['ownerId', 'Name']];
    expect(found).toHaveLength(3);
    expect(found).toContainEqual({ columns: key, unique: true, primary: true, valid: true });
    expect(found).toContainEqual({ columns: text, unique: true, primary: false, valid: true });
    expect(found).toContainEqual({ columns: both, unique: false, primary: false, valid: true });
  });

  it('has what relations lead to, and nothing of tables that are not there', () => {
    expect([...facts.tables.keys()]).toEqual([LookedAt, Owner]);
    expect(facts.unread).toEqual([]);
  });

  it('finds what the server is', () => {
    expect(facts.server).toMatchObject({ product: name, version: expect.stringMatching(/^\d+\./) as string });
    if (name === 'sqlite') return;
    expect(facts.server).toMatchObject({ readOnly: false, isolation: expect.stringMatching(/^re.+ /) as string });
    expect(Math.abs(facts.server.clockAheadMs!)).toBeLessThan(60_000);
  });

  it('takes five statements at most', async () => {
    expect(await log.countOf(() => new TypeOrmAdapter(dataSource).look([LookedAt, NotThere, Owner]))).toBeLessThan(6);
  });

  it('takes eight statements at most for a view', async () => {
    const look = async (): Promise<unknown> =>
      expect((await new TypeOrmAdapter(dataSource).look([Seen])).tables.get(Seen)?.kind).toBe('view');
    expect(await log.countOf(look)).toBeLessThan(9);
  });

  it('says what it could not read, and that nothing is known of it', async () => {
    log.onQuery = () => {
      throw notAllowed();
    };
    const { tables, unread } = await new TypeOrmAdapter(dataSource).look([LookedAt]);
    log.onQuery = undefined;
    expect(tables.size).toBe(0);
    expect(new Set(unread)).toEqual(new Set(['not allowed']));
  });
});
