import { DataSource, In, Like, Not } from 'typeorm';
import { beforeAll, describe, expect, it } from 'vitest';
import { JsonPath, SessionsTable, SessionValidationError } from '@app/sessions';
import { useApplication } from '../support/application.js';
import type { TestDatabase } from '../support/databases.js';
import { errorOf } from '../support/sessions.js';
import { type ServerName, SERVERS, isMysql } from '../support/databases.js';

class Sessions extends SessionsTable({
  extraFields: { device: { type: 'string', nullable: true } },
}) {}

/** A character set of the database, with texts that it can store and others that it cannot. */
interface Kind {
  readonly database: ServerName;
  readonly characterSet: string;
  readonly kept: readonly string[];
  readonly refused: readonly string[];
}

const OF_MYSQL: readonly Omit<Kind, 'database'>[] = [
  { characterSet: 'utf8mb3', kept: ['Ann’s phone', 'ä', '語'], refused: ['📱', 'a😀'] },
  { characterSet: 'latin1', kept: ['ä', 'Ann’s phone', '€'], refused: ['📱', '語', 'ł'] },
  { characterSet: 'ascii', kept: ['phone', '~'], refused: ['ä', '📱'] },
  { characterSet: 'koi8r', kept: ['Аня'], refused: ['ä', '📱'] },
  { characterSet: 'sjis', kept: ['語'], refused: ['📱'] },
];

const KINDS: readonly Kind[] = [
  ...SERVERS.filter(isMysql).flatMap((database) => OF_MYSQL.map((kind) => ({ ...kind, database }))),
  { database: 'postgres', characterSet: 'LATIN1', kept: ['ä', 'ÿ'], refused: ['📱', '€', '語'] },
  { database: 'postgres', characterSet: 'WIN1252', kept: ['ä', '€'], refused: ['📱', '語'] },
  { database: 'postgres', characterSet: 'EUC_JP', kept: ['語'], refused: ['📱'] },
  {
    database: 'postgres',
    characterSet: 'SQL_ASCII',
    kept: ['ä', '📱', '語'],
    refused: ['x'.repeat(256), 'ä'.repeat(128)],
  },
];

/** Sets of whose characters nothing is known before the database says it. */
const UNKNOWN = new Set(['sjis', 'EUC_JP']);

/** Makes the table, and gives it this character set. */
async function prepare(characterSet: string, { options }: TestDatabase): Promise<void> {
  const entities = [Sessions.entity];
  const dataSource = await new DataSource({ ...options, entities, synchronize: true }).initialize();
  await dataSource.query(`ALTER TABLE sessions CONVERT TO CHARACTER SET ${characterSet}`);
  await dataSource.destroy();
}

describe.each(KINDS)('a table in $characterSet on $database', ({ database, kept, refused, characterSet }) => {
  const app = useApplication(database, {
    tables: [Sessions],
    ...(database === 'postgres'
      ? { characterSet }
      : { synchronize: false, prepare: (created) => prepare(characterSet, created) }),
  });
  let sessions: Sessions;
  beforeAll(() => {
    sessions = app.get(Sessions);
  });

  it('keeps what it can store', async () => {
    for (const device of kept) {
      const session = await sessions.create({ device, data: { device } });
      expect(await sessions.authenticate(session.authToken)).toMatchObject({ device, data: { device } });
      expect(await sessions.count({ device })).toBe(1);
      expect(await sessions.count({ device: Like(`${device}%`) })).toBe(1);
      expect(await sessions.count({ data: JsonPath(['device'], device) })).toBe(1);
    }
  });

  // JSON of MySQL has a set of its own, which has all characters, and SQL_ASCII too.
  const sorts = database === 'mysql' || characterSet === 'SQL_ASCII' ? 2 : 3;

  it('refuses by name what it cannot store, in every call that writes', async () => {
    const session = await sessions.create({ device: 'a' });
    for (const device of refused) {
      const writes: [string, () => Promise<unknown>][] = [
        ['device', () => sessions.create({ device })],
        ['device', () => sessions.update(session, { device })],
        ['data', () => sessions.create({ data: { [device]: 1 } })],
      ];
      for (const [field, write] of writes.slice(0, sorts)) {
        const error = await errorOf(write());
        expect(error).toBeInstanceOf(SessionValidationError);
        expect(Object.keys(error['errors'] as object)).toEqual([field]);
        expect(JSON.stringify(error)).not.toContain(device);
      }
    }
    expect(await sessions.count({ device: 'a' })).toBe(1);
  });

  it.skipIf(UNKNOWN.has(characterSet))('matches nothing by what it cannot store', async () => {
    await sessions.create({ device: 'a' });
    for (const device of refused) {
      expect(await sessions.list({ device })).toEqual([]);
      expect(await sessions.list({ device: In([device]) })).toEqual([]);
      expect(await sessions.list({ device: In([device, 'a']) })).toHaveLength(1);
      expect(await sessions.list({ device: Not(device) })).toHaveLength(1);
      expect(await sessions.list({ device: Like(`%${device}`) })).toEqual([]);
      expect(await sessions.list({ data: JsonPath(['device'], device) })).toEqual([]);
    }
  });
});
