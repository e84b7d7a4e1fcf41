import { Column, Entity, EntitySchema, PrimaryColumn } from 'typeorm';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { type EctoAdapter, MemoryAdapter, type SessionOf, SessionsTable, TypeOrmAdapter } from '@app/sessions';
import { useApplication } from '../support/application.js';
import { describeStorages } from '../support/databases.js';

interface UserRow {
  id: string;
  name: string;
  sessions?: object[];
}

/** Without a class, and with a relation back. */
const User = new EntitySchema<UserRow>({
  name: 'User',
  tableName: 'app_users',
  columns: { id: { type: 'varchar', length: 36, primary: true }, name: { type: 'varchar', length: 50 } },
  relations: { sessions: { type: 'one-to-many', target: 'Sessions', inverseSide: 'user' } },
});

class DeviceRow {
  id!: string;
  model!: string;
}

/** With a class, which is named otherwise. */
const Device = new EntitySchema<DeviceRow>({
  name: 'Device',
  target: DeviceRow,
  tableName: 'devices',
  columns: { id: { type: 'varchar', length: 36, primary: true }, model: { type: 'varchar', length: 50 } },
});

const Entry = new EntitySchema<{ id: string; text: string; sessionId: string; session?: object }>({
  name: 'Entry',
  tableName: 'entries',
  columns: {
    id: { type: 'varchar', length: 36, primary: true },
    text: { type: 'varchar', length: 50 },
    sessionId: { type: 'uuid' },
  },
  relations: {
    session: {
      type: 'many-to-one',
      target: 'Sessions',
      joinColumn: { name: 'sessionId' },
      inverseSide: 'entries',
      onDelete: 'CASCADE',
    },
  },
});

/** Beside them one of decorators. */
@Entity()
class Team {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  id!: string;

  @Column({ type: 'varchar', length: 50 })
  name!: string;
}

const key = { type: 'string', length: 36, nullable: true } as const;

class Sessions extends SessionsTable({
  extraFields: {
    userId: key,
    deviceId: key,
    ownerId: key,
    teamId: key,
    user: { manyToOne: () => User, joinColumn: 'userId', inverse: 'sessions', onDelete: 'CASCADE' },
    owner: { manyToOne: 'User', joinColumn: 'ownerId' },
    device: { manyToOne: Device, joinColumn: 'deviceId' },
    team: { manyToOne: () => Team, joinColumn: 'teamId' },
    entries: { oneToMany: () => Entry, inverse: 'session' },
    others: { manyToMany: User, joinTable: 'session_users' },
  },
}) {}

const entities = [User, Device, Entry, Team];

describeStorages('relations to an EntitySchema', (name) => {
  const memory = new MemoryAdapter();
  const options = name === 'memory' ? { adapter: memory } : {};
  const app = useApplication(name, { tables: [Sessions], entities, options });
  const storage = (): EctoAdapter => (name === 'memory' ? memory : new TypeOrmAdapter(app.dataSource));

  it('load what is at their ends, beside relations to a class', async () => {
    await storage().insert(User, { id: 'u1', name: 'Ann' });
    // TypeORM knows it by its class, memory by what describes that.
    await storage().insert(name === 'memory' ? Device : DeviceRow, { id: 'd1', model: 'phone' });
    await storage().insert(Team, { id: 't1', name: 'red' });
    const { authToken, id } = await app
      .get(Sessions)
      .create({ userId: 'u1', ownerId: 'u1', deviceId: 'd1', teamId: 't1' });
    await storage().insert(Entry, { id: 'e1', text: 'in', sessionId: id });
    const relations = ['user', 'owner', 'device', 'team', 'entries', 'others'] as const;
    const found = (await app.get(Sessions).authenticate(authToken, { relations }))!;
    expect(found).toMatchObject({
      user: { id: 'u1', name: 'Ann' },
      owner: { id: 'u1' },
      device: { id: 'd1', model: 'phone' },
      team: { id: 't1', name: 'red' },
      entries: [{ id: 'e1', text: 'in' }],
      others: [],
    });
    const [listed] = await app.get(Sessions).list({ userId: 'u1' }, { relations: { user: { sessions: true } } });
    expect(listed!.user).toMatchObject({ sessions: [{ id }] });
  });

  it('have the types of their rows', () => {
    expectTypeOf<SessionOf<Sessions>['user']>().toEqualTypeOf<UserRow | null | undefined>();
    expectTypeOf<SessionOf<Sessions>['device']>().toEqualTypeOf<DeviceRow | null | undefined>();
    expectTypeOf<SessionOf<Sessions>['owner']>().toEqualTypeOf<unknown>();
  });

  describe.runIf(name !== 'memory')('are known to TypeORM', () => {
    it('by foreign keys', () => {
      const { foreignKeys } = app.dataSource.getMetadata(Sessions.entity);
      const tables = foreignKeys.map(({ referencedEntityMetadata }) => referencedEntityMetadata.tableName);
      expect(tables.toSorted()).toEqual(['app_users', 'app_users', 'devices', 'team']);
    });

    it('by its query builder', async () => {
      const builder = app.get(Sessions).query({ userId: 'u1' }).toQueryBuilder('s');
      expect(builder.leftJoinAndSelect('s.device', 'd').getQuery()).toContain('devices');
    });
  });
});
