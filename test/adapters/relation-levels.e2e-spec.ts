import {
  AfterLoad,
  Column,
  DataSource,
  Entity,
  EntitySchema,
  JoinColumn,
  ManyToOne,
  OneToMany,
  PrimaryColumn,
  PrimaryGeneratedColumn,
} from 'typeorm';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TypeOrmAdapter } from '@app/sessions';
import { createDatabase, describeDatabases, isMysql, type TestDatabase } from '../support/databases.js';
import { QueryLog } from '../support/query-log.js';

@Entity()
class Country {
  @PrimaryColumn({ type: 'varchar', length: 10 })
  code!: string;
}

class Address {
  @Column({ type: 'varchar', length: 50, nullable: true })
  city!: string | null;

  @ManyToOne(() => Country)
  country!: Country | null;
}

/** It takes TypeORM to make one: an eager relation and a listener. */
@Entity()
class Shipper {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'varchar', length: 50 })
  name!: string;

  @ManyToOne(() => Country, { eager: true })
  @JoinColumn({ name: 'home' })
  home!: Country | null;

  @OneToMany(() => Order, 'shipper')
  orders!: Order[];

  label!: string;

  @AfterLoad()
  complete(): void {
    this.label = `by ${this.name}`;
  }
}

@Entity('orders')
class Order {
  @PrimaryColumn({ type: 'int' })
  id!: number;

  @Column({ type: Date, precision: 3, nullable: true })
  placedAt!: Date | null;

  @Column(() => Address)
  address!: Address;

  /** Its column is no property. */
  @ManyToOne(() => Shipper, 'orders')
  shipper!: Shipper | null;
}

const ORDERS = 830;

describeDatabases('relations under TypeORM', (name) => {
  const queries = new QueryLog();
  let database: TestDatabase;
  let dataSource: DataSource;
  let adapter: TypeOrmAdapter;
  const find = async (entity: Function, relations: object): Promise<Record<string, unknown>[]> =>
    (
      await adapter.execute(
        adapter.prepare('all', entity, { relations, order: { [entity === Order ? 'id' : 'name']: 'ASC' } }),
      )
    ).rows!;
  beforeAll(async () => {
    database = await createDatabase(name);
    const entities = [Country, Shipper, Order];
    dataSource = await new DataSource({
      ...database.options,
      entities,
      synchronize: true,
      logger: queries,
    }).initialize();
    adapter = new TypeOrmAdapter(dataSource);
    const { manager } = dataSource;
    await manager.insert(Country, [{ code: 'CH' }, { code: 'NL' }]);
    const home = { code: 'CH' };
    const shippers = await manager.save(Shipper, [
      { name: 'a', home },
      { name: 'b', home },
      { name: 'c', home: null },
    ]);
    const orders = Array.from({ length: ORDERS }, (_, id) => ({
      id,
      shipper: shippers[id % 3]!,
      address: { city: 'Delft', country: id === 0 ? { code: 'NL' } : null },
    }));
    await manager.insert(Order, orders);
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  it('take a statement for each level, not one for each row', async () => {
    const relations = { shipper: { orders: true } };
    let rows: Record<string, unknown>[] = [];
    // Of shippers TypeORM itself makes the entities, by one more.
    expect(await queries.countOf(async () => void (rows = await find(Order, relations)))).toBe(4);
    expect(rows).toHaveLength(ORDERS);
    expect(rows[1]!['shipper']).toBeInstanceOf(Shipper);
    expect(rows[1]!['shipper']).toBe(rows[4]!['shipper']);
    const { orders } = rows[1]!['shipper'] as Shipper;
    expect(orders).toHaveLength(277);
    expect(orders[0]).toBeInstanceOf(Order);
  });

  it('lead to entities with what only TypeORM gives them', async () => {
    const [order] = await find(Order, { shipper: true });
    expect(order!['shipper']).toMatchObject({ label: 'by a', home: { code: 'CH' } });
  });

  it('lead to entities with the times that TypeORM reads', async () => {
    const update = async (id: number, at: unknown): Promise<unknown> =>
      dataSource
        .createQueryBuilder()
        .update(Order)
        .set({ placedAt: at as Date })
        .where({ id })
        .execute();
    await update(0, new Date('2026-03-01T10:20:30.456Z'));
    // In a column of SQLite any text can be.
    const texts = [
      '2026-02-30 10:20:30.456',
      '2026-03-01T10:20:30Z',
      '2026-03-01 10:20',
      '2026-03-01 10:20:30.4567',
      'x',
    ];
    if (name === 'sqlite')
      for (const [i, text] of texts.entries())
        await dataSource.query('UPDATE orders SET "placedAt" = ? WHERE id = ?', [text, 3 * (i + 1)]);
    const [a] = await find(Shipper, { orders: true });
    const times = new Map((a!['orders'] as Order[]).map(({ id, placedAt }) => [id, placedAt]));
    const orders = await dataSource.manager.findBy(Order, { shipper: { name: 'a' } });
    expect(times.get(0)).toEqual(new Date('2026-03-01T10:20:30.456Z'));
    expect(times).toEqual(new Map(orders.map(({ id, placedAt }) => [id, placedAt])));
  });

  it('lead to the same where TypeORM sends the statements', async () => {
    const relations = { home: true, orders: { address: { country: true } } };
    const byTypeOrm = new TypeOrmAdapter(dataSource, { preparedStatements: false });
    const query = byTypeOrm.prepare('all', Shipper, { relations, order: { name: 'ASC' } });
    const { rows } = await byTypeOrm.execute(query);
    expect(rows).toHaveLength(3);
    expect(rows).toEqual(await find(Shipper, relations));
  });

  it('lead on from parts of entities', async () => {
    const [a] = await find(Shipper, { orders: { address: { country: true } } });
    const [first, second] = (a!['orders'] as Order[]).toSorted((one, other) => one.id - other.id);
    expect(first!.address).toMatchObject({ city: 'Delft', country: { code: 'NL' } });
    expect(second!.address).toMatchObject({ city: 'Delft', country: null });
  });

  describe.runIf(name === 'postgres').each([
    ['timestamp', pg.types.builtins.TIMESTAMP],
    ['timestamp with time zone', pg.types.builtins.TIMESTAMPTZ],
  ] as const)('to times of type %s', (type, oid) => {
    const usual = pg.types.getTypeParser(oid);
    afterEach(() => pg.types.setTypeParser(oid, usual));

    const Stop = new EntitySchema<{ id: number; at: Date; next: object; last: object }>({
      name: 'Stop',
      columns: { id: { type: 'int', primary: true }, at: { type, nullable: true } },
      relations: {
        next: { type: 'many-to-one', target: 'Stop', joinColumn: true },
        last: { type: 'many-to-one', target: 'Stop', joinColumn: true },
      },
    });
    const texts = [
      '2026-03-01 10:20:30',
      '2026-07-01 10:20:30.4',
      '2026-07-01 10:20:30.456999',
      '2026-10-25 02:30:00',
      '1001-02-03 04:05:06',
      '0050-01-01 00:00:00',
      '1044-03-15 00:00:00 BC',
      '12345-01-01 00:00:00',
      'infinity',
      '-infinity',
    ];

    it.each([
      ['pg has', usual],
      ['gives an hour more', (text: string) => new Date(Date.parse(text) + 3_600_000)],
      ['gives text', String],
    ])('find what TypeORM reads, by a parser that %s', async (_, parse) => {
      pg.types.setTypeParser(oid, parse);
      const options = { ...database.options, entities: [Stop], synchronize: true };
      const other = await new DataSource(options).initialize();
      await other.query('TRUNCATE stop');
      for (const [id, at] of texts.entries())
        await other.query(`INSERT INTO stop (id, at, "nextId", "lastId") VALUES (${id}, '${at}', ${id}, ${id})`);
      const stops = new TypeOrmAdapter(other);
      const query = stops.prepare('all', Stop, {
        relations: { next: { last: true }, last: true },
        order: { id: 'ASC' },
      });
      const { rows } = await stops.execute(query);
      const inside = await other.transaction((manager) => stops.within(manager).execute(query));
      const expected = (await other.manager.find(Stop, { order: { id: 'ASC' } })).map(({ at }) => at);
      await other.destroy();
      expect(rows!.map(({ last }) => (last as { at: Date }).at)).toEqual(expected);
      expect(rows!.map(({ next }) => (next as { at: Date }).at)).toEqual(expected);
      expect(inside.rows).toEqual(rows);
    });
  });

  describe.runIf(isMysql(name))('by keys that a collation takes for equal', () => {
    beforeEach(async () => {
      await dataSource.query('CREATE TABLE IF NOT EXISTS folk (id varchar(20) PRIMARY KEY, friend varchar(20) NULL)');
      await dataSource.query(
        "REPLACE INTO folk VALUES ('Ann', 'BOB'), ('Bob', 'ann'), ('Cid', 'nobody'), ('Dan', 'Bob')",
      );
    });

    it('find what the database says', async () => {
      const entities = [Folk];
      const other = await new DataSource({ ...database.options, entities }).initialize();
      const folk = new TypeOrmAdapter(other);
      const query = folk.prepare('all', Folk, { relations: { friend: { friend: true } }, order: { id: 'ASC' } });
      const { rows } = await folk.execute(query);
      await other.destroy();
      const names = rows!.map(({ friend }) => (friend as Folk | null)?.id);
      expect(names).toEqual(['Bob', 'Ann', undefined, 'Bob']);
      expect(rows![0]!['friend']).toMatchObject({ friend: { id: 'Ann' } });
    });
  });
});

@Entity('folk')
class Folk {
  @PrimaryColumn({ type: 'varchar', length: 20 })
  id!: string;

  @ManyToOne(() => Folk)
  @JoinColumn({ name: 'friend' })
  friend!: Folk | null;
}
