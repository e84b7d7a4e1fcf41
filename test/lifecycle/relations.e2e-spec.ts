import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import {
  AfterLoad,
  Column,
  DeleteDateColumn,
  Entity,
  JoinColumn,
  ManyToOne,
  OneToOne,
  PrimaryColumn,
  VirtualColumn,
} from 'typeorm';
import { beforeEach, describe, expect, it } from 'vitest';
import { type EctoAdapter, MemoryAdapter, SessionsTable, TypeOrmAdapter } from '@app/sessions';
import { describeDatabases } from '../support/databases.js';
import { describeStorages, useApplication } from '../support/application.js';
import { at, DAY, SECOND } from '../support/clock.js';
import { QueryLog } from '../support/query-log.js';
import { errorOf } from '../support/sessions.js';
import { UserColumns } from '../support/users.js';

class Address {
  @Column({ type: 'varchar', nullable: true })
  city!: string | null;
}

@Entity()
class User extends UserColumns {
  @Column({ type: 'varchar', nullable: true, select: false })
  passwordHash!: string | null;

  @DeleteDateColumn()
  deletedAt!: Date | null;
}

/** What TypeORM converts, column by column. */
@Entity()
class Profile {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  id!: string;

  @Column({ type: 'json', nullable: true })
  settings!: object | null;

  @Column({ type: Date, precision: 3, nullable: true })
  born!: Date | null;

  @Column({ type: 'boolean', nullable: true })
  verified!: boolean | null;

  @Column({ type: 'bigint', nullable: true })
  visits!: string | null;

  @Column({ type: 'float', nullable: true })
  score!: number | null;

  @Column({ type: 'varchar', nullable: true, transformer: { to: (list?: string[]) => list?.join(), from: split } })
  tags!: string[] | null;

  @Column(() => Address)
  address!: Address;

  @OneToOne(() => Sessions.entity, 'profile', { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'sessionId' })
  session!: object;

  @Column({ type: 'uuid', nullable: true })
  sessionId!: string | null;
}

@Entity()
class Entry {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  id!: string;

  @Column({ type: 'varchar' })
  text!: string;

  @Column({ type: 'varchar', nullable: true, select: false })
  secret!: string | null;

  @DeleteDateColumn()
  deletedAt!: Date | null;

  @ManyToOne(() => Sessions.entity, 'entries', { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'sessionId' })
  session!: object;

  @Column({ type: 'uuid', nullable: true, select: false })
  sessionId!: string | null;
}

/** An entity that TypeORM alone can make of a row. */
@Entity()
class Device {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  id!: string;

  @Column({ type: 'varchar' })
  model!: string;

  @VirtualColumn({ query: (alias) => `SELECT UPPER(${alias}.model)` })
  upper!: string;

  label!: string;

  @AfterLoad()
  complete(): void {
    this.label = `a ${this.model}`;
  }
}

class Sessions extends SessionsTable({
  cache: { ttl: '10s', channel: null },
  rotation: true,
  extraFields: {
    userId: { type: 'string', length: 36, nullable: true },
    deviceId: { type: 'string', length: 36, nullable: true },
    user: { manyToOne: () => User, joinColumn: 'userId' },
    device: { manyToOne: () => Device, joinColumn: 'deviceId' },
    profile: { oneToOne: () => Profile, inverse: 'session' },
    entries: { oneToMany: () => Entry, inverse: 'session' },
  },
}) {}

/** Its tokens may be stored under either of two digests. */
class Keyed extends SessionsTable({
  table: 'keyed',
  keys: ['new', 'old'].map((id) => ({ id, secret: id.repeat(16) })),
  extraFields: {
    userId: { type: 'string', length: 36 },
    user: { manyToOne: () => User, joinColumn: 'userId' },
  },
}) {}

function split(text: string | null): string[] | null {
  return text === null ? null : text.split(',');
}

const entities = [User, Profile, Entry, Device];

/** An application, and its storage, to put related rows there. */
function useRelated(name: Parameters<typeof useApplication>[0]) {
  const memory = new MemoryAdapter();
  const options = { defaultTable: Sessions, ...(name === 'memory' && { adapter: memory }) };
  const app = useApplication(name, { tables: [Sessions, Keyed], entities, options });
  const storage = (): EctoAdapter => (name === 'memory' ? memory : new TypeOrmAdapter(app.dataSource));
  const insert = async (entity: typeof User | typeof Profile | typeof Entry | typeof Device, row: object) => {
    const id = randomUUID();
    await storage().insert(entity, { id, ...row });
    return id;
  };
  return { app, storage, insert, sessions: () => app.get(Sessions) };
}

describeStorages('the relations of a session that is looked up by its token', (name) => {
  const { app, storage, insert, sessions } = useRelated(name);

  it('are loaded, to one and to many', async () => {
    const userId = await insert(User, { name: 'Ann' });
    const { authToken, ...session } = await sessions().create({ userId });
    const profileId = await insert(Profile, { sessionId: session.id });
    for (const text of ['in', 'out']) await insert(Entry, { text, sessionId: session.id });
    const relations = ['entries', 'user', 'profile'] as const;
    const found = (await sessions().authenticate(authToken, { relations }))!;
    expect(found).toMatchObject({ ...session, user: { id: userId, name: 'Ann' }, profile: { id: profileId } });
    expect(found.entries!.map(({ text }) => text).toSorted()).toEqual(['in', 'out']);
    expect(Object.keys(found).slice(-4)).toEqual([...relations, 'isExpired']);
  });

  it('are null, or an empty list, where there is nothing at their end', async () => {
    const { authToken } = await sessions().create({});
    const found = await sessions().authenticate(authToken, { relations: ['user', 'device', 'profile', 'entries'] });
    expect(found).toMatchObject({ user: null, device: null, profile: null, entries: [] });
  });

  it('are nothing for a token that has no valid session', async () => {
    const session = await sessions().create({});
    await sessions().expire(session);
    expect(await sessions().authenticate(session.authToken, { relations: ['user'] })).toBeNull();
  });

  it('come without columns that nothing selects, and without soft-deleted rows', async () => {
    const userId = await insert(User, { name: 'Ann', passwordHash: 'hunter2' });
    const { authToken, id: sessionId } = await sessions().create({ userId });
    await insert(Entry, { text: 'kept', secret: 'hunter2', sessionId });
    await insert(Entry, { text: 'deleted', sessionId, deletedAt: at(0) });
    const read = () => sessions().authenticate(authToken, { relations: ['user', 'entries'] });
    const found = (await read())!;
    expect(found.entries!.map(({ text }) => text)).toEqual(['kept']);
    expect(JSON.stringify(found)).not.toMatch(/hunter2|sessionId/);
    await storage().update(User, { deletedAt: at(0) }, { id: userId });
    expect((await read())!.user).toBeNull();
  });

  it('are those of the database at every request, whatever the near cache has, which gets none of them', async () => {
    const userId = await insert(User, { name: 'Ann' });
    const { authToken } = await sessions().create({ userId });
    const read = () => sessions().authenticate(authToken, { relations: ['user'] });
    await sessions().authenticate(authToken);
    expect((await read())!.user!.name).toBe('Ann');
    await storage().update(User, { name: 'Anna' }, { id: userId });
    expect((await read())!.user!.name).toBe('Anna');
    expect(await sessions().authenticate(authToken)).not.toHaveProperty('user');
  });

  it('stay when the session is extended', async () => {
    const { authToken } = await sessions().create({ userId: await insert(User, { name: 'Ann' }) });
    app.clock.advance(2 * DAY);
    const found = await sessions().authenticate(authToken, { relations: ['user'] });
    expect(found).toMatchObject({ expiresAt: at(9 * DAY), user: { name: 'Ann' } });
  });

  it('come by a token that has just been replaced too', async () => {
    const session = await sessions().create({ userId: await insert(User, { name: 'Ann' }) });
    await sessions().rotate(session);
    app.clock.advance(SECOND);
    const found = await sessions().authenticate(session.authToken, { relations: ['user'] });
    expect(found).toMatchObject({ id: session.id, user: { name: 'Ann' } });
  });

  it('bring no digest where it says which key a row has (ASVS 16.2.5)', async () => {
    const { authToken, ...session } = await app.get(Keyed).create({ userId: await insert(User, { name: 'Ann' }) });
    const found = await app.get(Keyed).authenticate(authToken, { relations: ['user'] });
    expect(found).toEqual({ ...session, user: expect.objectContaining({ name: 'Ann' }) });
    expect(inspect(found, { showHidden: true, depth: 10 })).not.toMatch(/digest|[0-9a-f]{64}/i);
  });

  it('are refused by name where there are none of it', async () => {
    const { authToken } = await sessions().create({});
    const error = await errorOf(sessions().authenticate(authToken, { relations: ['usr' as 'user'] }));
    expect(error['errors']).toEqual({ usr: 'is no relation (there are: user, device, profile, entries)' });
  });
});

describeDatabases('the statements for the relations of a session', (name) => {
  const { app, insert, sessions } = useRelated(name);
  const queries = new QueryLog();
  beforeEach(() => {
    app.dataSource.setOptions({ logger: queries });
  });

  it('are one for those to one, and one more for all others', async () => {
    const userId = await insert(User, { name: 'Ann' });
    const { authToken, id: sessionId } = await sessions().create({ userId });
    await insert(Profile, { sessionId });
    const read = (...relations: ('user' | 'profile' | 'entries')[]) =>
      queries.countOf(() => sessions().authenticate(authToken, { relations }));
    expect(await read('user')).toBe(1);
    expect(await read('user', 'profile')).toBe(1);
    expect(await read('user', 'entries', 'profile')).toBe(2);
    const inLists = () => sessions().list({ userId }, { relations: ['user', 'profile'] });
    expect(await queries.countOf(inLists)).toBe(1);
  });

  describe('give entities as TypeORM does', () => {
    it('with its conversions', async () => {
      const { authToken, id: sessionId } = await sessions().create({});
      const { manager } = app;
      await manager.insert(Profile, {
        id: randomUUID(),
        settings: { theme: 'dark', list: [1] },
        born: new Date('1990-05-17T10:20:30.123Z'),
        verified: true,
        visits: '9007199254740993',
        score: 0.1,
        tags: ['a', 'b'],
        address: { city: 'Bern' },
        sessionId,
      });
      const { profile } = (await sessions().authenticate(authToken, { relations: ['profile'] }))!;
      expect(profile).toStrictEqual(await manager.findOneByOrFail(Profile, { sessionId }));
      expect(profile).toBeInstanceOf(Profile);
    });

    it('with its virtual columns and listeners', async () => {
      const deviceId = await insert(Device, { model: 'phone' });
      const { authToken } = await sessions().create({ deviceId });
      const { device } = (await sessions().authenticate(authToken, { relations: ['device'] }))!;
      expect(device).toMatchObject({ upper: 'PHONE', label: 'a phone' });
    });
  });
});
