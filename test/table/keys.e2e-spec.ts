import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Entity, PrimaryColumn } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { type InvalidationChannel, MemoryAdapter, SessionsModule, SessionsTable } from '@app/sessions';
import { definitionProblems } from '../../libs/sessions/src/table/check-definition.js';
import { KEY_HOLDS_NO_UUID, inKey, NO_KEY_LENGTH, NO_KEY_TYPE, noKey } from '../../libs/sessions/src/table/messages.js';
import { describeStorages, useApplication } from '../support/application.js';
import { createDatabase } from '../support/databases.js';
import { digestOf } from '../support/digest.js';

const UPPER = '6F9619FF-8B86-4011-B42D-00CF4FC964FF';

@Entity('users')
class User {
  @PrimaryColumn('varchar', { length: 36 })
  id!: string;
}

class Sessions extends SessionsTable({
  extraFields: {
    userId: { type: 'uuid', index: true },
    user: { manyToOne: () => User, joinColumn: 'userId' },
  },
  columns: { userId: { type: 'varchar' } },
}) {}
class Numbered extends SessionsTable({ table: 'numbered', columns: { id: { type: 'integer' } } }) {}
let made = 0;
class Named extends SessionsTable({ table: 'named', columns: { id: { generate: () => `se_${++made}` } } }) {}

describeStorages('keys of tables that the library makes', (name) => {
  const app = useApplication(name, { tables: [Numbered, Named], options: { defaultTable: 'named' } });

  it('are whole numbers by the database, as text', async () => {
    const [a, b] = [await app.get(Numbered).create({}), await app.get(Numbered).create({})];
    expect(a.id).toMatch(/^\d+$/);
    expect(Number(b.id)).toBeGreaterThan(Number(a.id));
    expect(await app.get(Numbered).get({ id: b.id })).toEqual({ ...b });
    for (const id of ['nobody', UPPER, `${2n ** 70n}`, '']) expect(await app.get(Numbered).get({ id })).toBeNull();
    expect(await app.get(Numbered).list({}, { order: { id: 'ASC' } })).toMatchObject([{ id: a.id }, { id: b.id }]);
    expect(await app.get(Numbered).revoke({ id: `00${a.id}` })).toBe(true);
  });

  it('are what a function makes', async () => {
    const { id, authToken } = await app.get(Named).create({});
    expect(id).toBe(`se_${made}`);
    expect(await app.get(Named).authenticate(authToken)).toMatchObject({ id });
  });
});

describe('the keys of a definition', () => {
  const problems = (id: object) => definitionProblems({ columns: { id } });

  it.each<[object]>([
    [{ type: 'bigint' }],
    [{ type: 'bytea' }],
    [{ type: 'binary', length: 16 }],
    [{ type: 'varchar' }],
    [{ generate: () => 'a' }],
    [{ type: 'char', length: 3, generate: () => 'abc' }],
    [{ type: 'bigint unsigned', generate: () => 5n }],
    [{ type: 'varchar', length: 8, generate: 'database' }],
  ])('can be %o', (id) => expect(problems(id)).toEqual([]));

  it.each<[object, string]>([
    [{ type: 'json' }, NO_KEY_TYPE],
    [{ type: 'timestamp' }, NO_KEY_TYPE],
    [{ type: 'char' }, NO_KEY_LENGTH],
    [{ type: 'varchar', length: 26 }, KEY_HOLDS_NO_UUID],
    [{ type: 'binary', length: 8 }, KEY_HOLDS_NO_UUID],
    [{ type: 'varchar', length: 3, generate: () => 'abcd' }, noKey('abcd')],
    [{ type: 'char', length: 3, generate: () => 'ab' }, noKey('ab')],
    [{ type: 'bigint', generate: () => 'abc' }, noKey('abc')],
    [{ generate: () => undefined }, noKey(undefined)],
  ])('cannot be %o', (id, problem) => expect(problems(id)).toEqual([inKey(problem)]));

  it('have options of the right types, and no other column has them', () => {
    expect(problems({ generate: 'random' })).toEqual([expect.stringContaining('columns.id.generate')]);
    expect(definitionProblems({ columns: { data: { generate: 'database' } } } as never)).toHaveLength(1);
  });
});

describeStorages('UUIDs in text', (name) => {
  const isMemory = name === 'memory';
  const app = useApplication(name, { tables: [Sessions], entities: [User] });

  it.skipIf(isMemory)('are kept in the letters that they were given in, as another table has them', async () => {
    await app.dataSource.getRepository(User).save({ id: UPPER });
    const created = await app.get(Sessions).create({ userId: UPPER });
    expect(created.userId).toBe(UPPER);
    expect(await app.get(Sessions).get({ id: created.id }, { relations: ['user'] })).toMatchObject({
      userId: UPPER,
      user: { id: UPPER },
    });
  });

  it('are found in capitals and in small letters', async () => {
    if (!isMemory) await app.dataSource.getRepository(User).save({ id: UPPER });
    const { id } = await app.get(Sessions).create({ userId: UPPER });
    for (const userId of [UPPER, UPPER.toLowerCase()]) expect(await app.get(Sessions).count({ userId })).toBe(1);
    expect(await app.get(Sessions).get({ id: id.toUpperCase() })).toMatchObject({ id });
    expect(await app.get(Sessions).revokeAll({ userId: UPPER.toLowerCase() })).toBe(1);
  });
});

describe('the near cache', () => {
  it('is told of ids as sessions have them, in whatever form they were given', async () => {
    const sent: string[] = [];
    const channel: InvalidationChannel = {
      connect: async (heard) => ({
        publish: async (message) => {
          sent.push(message);
          heard(message);
        },
        close: async () => undefined,
      }),
    };
    const database = await createDatabase('sqlite');
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ ...database.options, synchronize: true, autoLoadEntities: true }),
        SessionsModule.forRoot({ pruning: false, defaultTable: 'numbered', cache: { ttl: '1h', channel } }),
        SessionsModule.forFeature([Numbered, Sessions]),
        TypeOrmModule.forFeature([User]),
      ],
    }).compile();
    await module.init();
    const sessions = module.get(Numbered);
    const { id, authToken } = await sessions.create({});
    expect(await sessions.authenticate(authToken)).toMatchObject({ id });
    await sessions.revoke({ id: `000${id}` });
    expect(await sessions.authenticate(authToken)).toBeNull();
    expect(sent.some((message) => message.includes(`"ids":["${id}"]`))).toBe(true);
    await module.close();
    await database.drop();
  });
});

it('memory makes keys where a database would', async () => {
  const adapter = new MemoryAdapter();
  class Bytes extends SessionsTable({ table: 'bytes', columns: { id: { type: 'bytea', generate: 'database' } } }) {}
  const row = { authTokenDigest: digestOf('x'), data: {}, createdAt: new Date(), updatedAt: new Date() };
  expect(await adapter.insert(Bytes.entity, row)).toEqual({ id: expect.stringMatching(/^[0-9a-f]{32}$/) });
});
