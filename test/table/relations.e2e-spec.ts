import { inspect } from 'node:util';
import {
  Column,
  DefaultNamingStrategy,
  Entity,
  JoinColumn,
  ManyToOne,
  OneToMany,
  OneToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
} from 'typeorm';
import { beforeAll, describe, expect, it } from 'vitest';
import { type SessionOf, SessionsTable } from '@app/sessions';
import { describeDatabases } from '../support/databases.js';
import { useApplication } from '../support/application.js';
import { at, DAY } from '../support/clock.js';
import { errorOf } from '../support/sessions.js';
import { UserColumns } from '../support/users.js';

@Entity()
class Team {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'varchar' })
  name!: string;
}

@Entity()
class User extends UserColumns {
  @ManyToOne(() => Team)
  team!: Team;

  @OneToMany(() => Sessions.entity, 'user')
  sessions!: object[];
}

@Entity()
class Device {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'varchar' })
  model!: string;
}

@Entity()
class Badge {
  @PrimaryGeneratedColumn()
  id!: number;

  @OneToOne(() => Sessions.entity, 'badge', { onDelete: 'CASCADE' })
  @JoinColumn()
  session!: object;
}

@Entity()
class Entry {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'varchar' })
  text!: string;

  @ManyToOne(() => Sessions.entity, 'entries', { onDelete: 'CASCADE' })
  session!: object;
}

@Entity()
class Tag {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  name!: string;
}

class Sessions extends SessionsTable({
  extraFields: {
    userId: { type: 'string', length: 36, nullable: true },
    deviceKey: { type: 'int', nullable: true },
    user: { manyToOne: () => User, joinColumn: 'userId', inverse: 'sessions', onDelete: 'CASCADE' },
    device: { oneToOne: () => Device, joinColumn: 'deviceKey' },
    badge: { oneToOne: () => Badge, inverse: 'session' },
    entries: { oneToMany: () => Entry, inverse: 'session' },
    tags: { manyToMany: () => Tag, joinTable: 'session_tags' },
  },
}) {}

/** `userId` becomes `user_id`, in columns and in join columns. */
class SnakeNaming extends DefaultNamingStrategy {
  override columnName(property: string, custom: string | undefined, prefixes: string[]): string {
    return super.columnName(custom ?? snake(property), undefined as never, prefixes.map(snake));
  }

  override joinColumnName(relation: string, referenced: string): string {
    return snake(`${relation}_${referenced}`);
  }

  override joinTableColumnName(table: string, property: string, column?: string): string {
    return snake(`${table}_${column ?? property}`);
  }
}

function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

const entities = [Team, User, Device, Badge, Entry, Tag];

describeDatabases('relations', (name) => {
  describe.each([
    ["TypeORM's own naming strategy", undefined, ['userId', 'deviceKey']],
    ['a snake-case naming strategy', new SnakeNaming(), ['user_id', 'deviceKey']],
  ] as const)('under %s', (_strategy, namingStrategy, joinColumns) => {
    const app = useApplication(name, { tables: [Sessions], entities, namingStrategy });
    let sessions: Sessions;
    beforeAll(async () => {
      sessions = app.get(Sessions);
      const team = await app.manager.save(Team, { name: 'red' });
      await app.manager.save(User, [
        { id: 'u1', name: 'Ann', team },
        { id: 'u2', name: 'Bob' },
      ]);
      await app.manager.save(Tag, [{ name: 'x' }, { name: 'y' }]);
    });

    /** A session with something at the end of each relation. */
    const related = async (): Promise<SessionOf<Sessions> & { authToken: string }> => {
      const device = await app.manager.save(Device, { model: 'iPhone' });
      const session = await sessions.create({ userId: 'u1', deviceKey: device.id });
      await app.manager.save(Badge, { session });
      await app.manager.save(Entry, [
        { text: 'in', session },
        { text: 'out', session },
      ]);
      const relation = app.manager.createQueryBuilder().relation(Sessions.entity, 'tags').of(session.id);
      await relation.add(['x', 'y']);
      return session;
    };

    it('have their keys in the columns of the fields', () => {
      const { columns } = app.dataSource.getMetadata(Sessions.entity);
      const names = columns.map((column) => column.databaseName);
      expect(names).toEqual(expect.arrayContaining([...joinColumns]));
      expect(names).toHaveLength(9);
    });

    it('have foreign keys', () => {
      const { foreignKeys } = app.dataSource.getMetadata(Sessions.entity);
      expect(foreignKeys.map((key) => [key.columnNames, key.referencedTablePath, key.onDelete])).toEqual([
        [[joinColumns[0]], 'user', 'CASCADE'],
        [[joinColumns[1]], 'device', 'NO ACTION'],
      ]);
    });

    it('are loaded when they are asked for, of every kind (PARITY 1.1, 1.2: preload)', async () => {
      const session = await related();
      const loaded = await sessions.get(
        { id: session.id },
        { relations: ['user', 'device', 'badge', 'entries', 'tags'] },
      );
      expect(loaded).toMatchObject({
        ...session,
        user: { id: 'u1', name: 'Ann' },
        device: { id: session.deviceKey, model: 'iPhone' },
        badge: { id: expect.any(Number) },
        tags: expect.arrayContaining([{ name: 'x' }, { name: 'y' }]),
      });
      expect(loaded!.user).toBeInstanceOf(User);
      expect(loaded!.entries!.map((entry) => entry.text).toSorted()).toEqual(['in', 'out']);
      expect(loaded!.tags).toHaveLength(2);
    });

    it("are loaded deeper in TypeORM's nested form", async () => {
      const { id } = await related();
      const loaded = await sessions.get({ id }, { relations: { user: { team: true } } });
      expect(loaded?.user?.team).toMatchObject({ name: 'red' });
    });

    it('are not there unless they are asked for', async () => {
      const { id } = await related();
      const session = await sessions.get({ id });
      for (const relation of ['user', 'device', 'badge', 'entries', 'tags'])
        expect(session).not.toHaveProperty(relation);
    });

    it('are null, or an empty list, where there is nothing at their end', async () => {
      const { id } = await sessions.create({});
      const relations = ['user', 'device', 'badge', 'entries', 'tags'] as const;
      expect(await sessions.get({ id }, { relations })).toMatchObject({
        user: null,
        device: null,
        badge: null,
        entries: [],
        tags: [],
      });
    });

    it('come with list, query, stream and getOrFail too, in the order and number asked for', async () => {
      for (const userId of ['u1', 'u2', 'u1']) await sessions.create({ userId });
      const relations = ['user'] as const;
      const names = (found: readonly SessionOf<Sessions>[]): unknown => found.map((session) => session.user?.name);
      expect(names(await sessions.list({}, { relations }))).toEqual(['Ann', 'Bob', 'Ann']);
      expect(names(await sessions.listValid({}, { relations, take: 2 }))).toEqual(['Ann', 'Bob']);
      expect(names(await sessions.query({ userId: 'u2' }).relations(relations).all())).toEqual(['Bob']);
      expect(names([await sessions.getOrFail({ userId: 'u2' }, { relations })])).toEqual(['Bob']);
      const streamed: SessionOf<Sessions>[] = [];
      for await (const session of sessions.query().relations(relations).stream({ maxRows: 2 })) streamed.push(session);
      expect(names(streamed)).toEqual(['Ann', 'Bob', 'Ann']);
    });

    it('stay loaded when the session is extended', async () => {
      const { id } = await sessions.create({ userId: 'u1' });
      app.clock.advance(2 * DAY);
      const session = await sessions.get({ id }, { relations: ['user'] });
      expect(session).toMatchObject({ expiresAt: at(9 * DAY), user: { name: 'Ann' } });
    });

    it('bring no digest with them (ASVS 16.2.5)', async () => {
      const { id } = await related();
      const relations = ['user', 'entries'] as const;
      const read: unknown[] = [
        await sessions.get({ id }, { relations }),
        await sessions.list({}, { relations }),
        await app.manager.find(User, { relations: { sessions: true } }),
        await app.manager.find(Entry, { relations: { session: true } }),
      ];
      for await (const session of sessions.query().relations(relations).stream()) read.push(session);
      expect(inspect(read, { depth: 10 }) + JSON.stringify(read)).not.toMatch(/digest|[0-9a-f]{64}/i);
    });

    it("lead from the application's entities back to their sessions", async () => {
      const session = await related();
      const user = await app.manager.findOneOrFail(User, { where: { id: 'u1' }, relations: { sessions: true } });
      expect(user.sessions).toMatchObject([{ id: session.id, userId: 'u1', expiresAt: session.expiresAt }]);
    });

    it("are joined by TypeORM's query builder", async () => {
      for (const userId of ['u1', 'u2']) await sessions.create({ userId });
      const joined = sessions
        .query()
        .toQueryBuilder('s')
        .innerJoin('s.user', 'u')
        .where('u.name = :name', { name: 'Bob' });
      expect(await joined.getMany()).toMatchObject([{ userId: 'u2' }]);
    });

    it('end the sessions with their owner where they are told to', async () => {
      await app.manager.save(User, { id: 'gone', name: 'Gone' });
      const { authToken } = await sessions.create({ userId: 'gone' });
      await app.manager.delete(User, { id: 'gone' });
      expect(await sessions.authenticate(authToken)).toBeNull();
    });

    it('refuse a key that leads nowhere, without showing a digest (ASVS 16.2.5)', async () => {
      const error = await errorOf(sessions.create({ userId: 'nobody' }));
      expect(error.message).toMatch(/foreign key/i);
      expect(inspect(error, { showHidden: true, depth: 10 })).not.toMatch(/[0-9a-f]{64}/);
      expect(await sessions.count({ status: 'all' })).toBe(0);
    });

    it('are neither set nor filtered by, and the error says what to do', async () => {
      const wrong = await errorOf(sessions.create({ user: { id: 'u1' } } as never));
      expect(wrong['errors']).toEqual({ user: 'is a relation: set the field of its join column' });
      const filtered = await errorOf(sessions.list({ user: { id: 'u1' } } as never));
      expect(filtered).toMatchObject({ code: 'ERR_QUERY_UNSUPPORTED', message: expect.stringContaining('"user"') });
    });
  });
});
