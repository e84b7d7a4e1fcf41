import { Entity, In, LessThan, Like, Not, PrimaryGeneratedColumn } from 'typeorm';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ColumnMapping, SessionsTable, type SessionsService, SessionValidationError } from '@app/sessions';
import { useApplication } from '../support/application.js';
import type { DatabaseName } from '../support/databases.js';
import { byCodePoint } from '../adapters/harness.js';
import { errorOf } from '../support/sessions.js';
import { differences } from '../migrations/migration-fixture.js';
import { isMysql, SERVERS } from '../support/databases.js';

type FieldType = 'string' | 'text' | 'int' | 'bigint' | 'number';

/** Types that a column may have in a database beside the library's own, with values that come back, and others that cannot be kept. */
interface Kind {
  readonly on: readonly (DatabaseName | 'memory')[];
  readonly field: FieldType;
  readonly type: NonNullable<ColumnMapping['type']>;
  readonly kept: readonly unknown[];
  readonly refused: readonly unknown[];
}

const EVERYWHERE = ['sqlite', ...SERVERS, 'memory'] as const;
const TEXT = <N extends string>(name: N) =>
  ({ [name]: { type: 'text' } }) as { readonly [K in N]: { readonly type: 'text' } };
const TEXTS = ['', 'a', 'A', 'ä', 'a\u0308', '😀', 'x'.repeat(300)];

const KINDS: readonly Kind[] = [
  { on: EVERYWHERE, field: 'string', type: 'text', kept: [...TEXTS, 'a '], refused: ['\0'] },
  { on: ['postgres'], field: 'string', type: 'citext', kept: [...TEXTS, 'a '], refused: ['\0'] },
  { on: ['mariadb', 'mysql'], field: 'string', type: 'mediumtext', kept: [...TEXTS, 'a '], refused: ['\0'] },
  {
    on: ['sqlite', 'postgres', 'memory'],
    field: 'string',
    type: 'character',
    kept: TEXTS.slice(0, -1),
    refused: ['a ', '\0'],
  },
  { on: ['mariadb', 'mysql'], field: 'string', type: 'char', kept: TEXTS.slice(0, -1), refused: ['a ', '\0'] },
  { on: EVERYWHERE, field: 'int', type: 'smallint', kept: [0, 32_767, -32_768], refused: [32_768, -32_769] },
  { on: EVERYWHERE, field: 'number', type: 'real', kept: [0.5, -1e10], refused: [1e39] },
  {
    on: ['mariadb', 'mysql', 'memory'],
    field: 'int',
    type: 'int unsigned',
    kept: [0, 4_294_967_295],
    refused: [-1, 4_294_967_296],
  },
  { on: ['mariadb', 'mysql', 'memory'], field: 'int', type: 'tinyint unsigned', kept: [0, 255], refused: [-1, 256] },
  {
    on: ['mariadb', 'mysql', 'memory'],
    field: 'bigint',
    type: 'bigint unsigned',
    kept: ['0', '9223372036854775808', '18446744073709551615'],
    refused: [-1n, '18446744073709551616'],
  },
];

for (const name of EVERYWHERE) {
  const kinds = KINDS.filter(({ on }) => on.includes(name));
  describe.each(kinds)(`a column of type $type for a $field on ${name}`, ({ field, type, kept, refused }) => {
    class Typed extends SessionsTable({
      extraFields: { own: { type: field, nullable: true } },
      columns: { own: { type } },
    } as { extraFields: { own: { type: 'string'; nullable: true } } }) {}
    const app = useApplication(name, { tables: [Typed] });
    let sessions: SessionsService;
    beforeAll(() => {
      sessions = app.get<SessionsService>(Typed);
    });

    it('keeps what it can hold, and finds nothing else by it', async () => {
      const owned = new Map<unknown, string>();
      for (const own of kept) {
        const session = await sessions.create({ own });
        owned.set(own, session.id);
        expect(session).toMatchObject({ own });
        expect(await sessions.authenticate(session.authToken)).toMatchObject({ own });
      }
      for (const [own, id] of owned) {
        expect(await sessions.list({ own })).toMatchObject([{ id }]);
        expect(await sessions.list({ own: In([own]) })).toMatchObject([{ id }]);
        expect(await sessions.count({ own: Not(own) })).toBe(owned.size - 1);
      }
    });

    it('refuses what it cannot hold, by name', async () => {
      for (const own of refused) {
        const error = await errorOf(sessions.create({ own }));
        expect(error).toBeInstanceOf(SessionValidationError);
        expect(Object.keys(error['errors'] as object)).toEqual(['own']);
      }
    });

    it.runIf(field === 'string')('compares, sorts and matches text by code points', async () => {
      const texts = (kept as string[]).toSorted(byCodePoint);
      for (const own of texts) await sessions.create({ own });
      const owned = async (filter: object) =>
        (await sessions.list(filter, { order: { own: 'ASC' } })).map((session) => (session as { own?: string }).own);
      expect(await owned({})).toEqual(texts);
      expect(await owned({ own: LessThan('a') })).toEqual(texts.filter((text) => byCodePoint(text, 'a') < 0));
      expect(await owned({ own: Like('a%') })).toEqual(texts.filter((text) => text.startsWith('a')));
    });

    it.skipIf(name === 'memory')('is as TypeORM would make it', async () => {
      expect(await differences(app.dataSource)).toEqual([]);
    });
  });
}

describe.each(EVERYWHERE)('a column of type numeric whose transformer makes numbers on %s', (name) => {
  class Priced extends SessionsTable({
    extraFields: { price: { type: 'number', transformer: { to: (price: number) => price, from: Number } } },
    columns: { price: { type: 'numeric' } },
  }) {}
  const app = useApplication(name, { tables: [Priced] });

  it('has numbers, also when it is read', async () => {
    const sessions = app.get(Priced);
    const { authToken } = await sessions.create({ price: 12 });
    expect(await sessions.authenticate(authToken)).toMatchObject({ price: 12 });
    expect(await sessions.count({ price: 12 })).toBe(1);
  });
});

describe.each(['postgres', 'sqlite'] as const)('a column of type text for digests on %s', (name) => {
  class Sessions extends SessionsTable({
    rotation: true,
    columns: { ...TEXT('authTokenDigest'), ...TEXT('previousTokenDigest') },
  }) {}
  const app = useApplication(name, { tables: [Sessions] });

  it('finds sessions by their tokens, and is as TypeORM would make it', async () => {
    const sessions = app.get(Sessions);
    const { authToken, ...created } = await sessions.create({});
    const rotated = await sessions.rotate(created);
    expect(await sessions.authenticate(rotated!.authToken)).toMatchObject({ id: created.id });
    expect(await sessions.authenticate(authToken)).toMatchObject({ id: created.id });
    expect(await differences(app.dataSource)).toEqual([]);
  });
});

@Entity('users')
class User {
  @PrimaryGeneratedColumn('increment', { type: 'bigint', unsigned: true })
  id!: string;
}

describe.each(SERVERS.filter(isMysql))('a relation to a key of type bigint unsigned on %s', (name) => {
  class Sessions extends SessionsTable({
    extraFields: { userId: { type: 'bigint' }, user: { manyToOne: () => User, joinColumn: 'userId' } },
    columns: { userId: { type: 'bigint unsigned' } },
  }) {}
  const app = useApplication(name, { tables: [Sessions], entities: [User] });

  it('is loaded, and is as TypeORM would make it', async () => {
    const id = '18446744073709551614';
    await app.manager.insert(User, { id });
    const sessions = app.get(Sessions);
    const { authToken } = await sessions.create({ userId: id });
    expect(await sessions.authenticate(authToken, { relations: ['user'] })).toMatchObject({ userId: id, user: { id } });
    expect(await differences(app.dataSource)).toEqual([]);
  });
});
