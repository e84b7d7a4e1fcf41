import { expect, it } from 'vitest';
import { SessionsTable, TypeOrmAdapter } from '@app/sessions';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { type DatabaseName, describeDatabases, isMysql, mysqlAlike } from '../support/databases.js';
import { isUpdate, QueryLog } from '../support/query-log.js';
import { planOf, type Sent } from '../support/statement-log.js';
import { useApplication } from '../support/application.js';
import { at, DAY } from '../support/clock.js';
import { digestOf } from '../support/digest.js';

const ROWS = 5000;
const AT_ONCE = 30;

class Sessions extends SessionsTable({ lastUse: true, revocation: true }) {}

/** Keeps the updates that were sent, with what they bind. */
class UpdateLog extends QueryLog {
  readonly sent: Sent[] = [];

  override logQuery(text: string, parameters: readonly unknown[] = []): void {
    // What MariaDB is told before it is no part of what it plans.
    if (isUpdate(text)) this.sent.push({ text: text.replace(/^SET STATEMENT .*? FOR /, ''), parameters });
  }
}

/** What a plan says where rows are found by another way than their key. */
const OTHERWISE: Readonly<Record<DatabaseName, RegExp>> = mysqlAlike({
  postgres: /Seq Scan|IDX_/,
  mariadb: / (ALL|index) |IDX_|filesort|temporary/,
  sqlite: /SCAN (?!json_each)|IDX_|TEMP B-TREE/,
});

const BY_KEY: Readonly<Record<DatabaseName, RegExp>> = mysqlAlike({
  postgres: /Index Scan (using|on) "?PK_/,
  mariadb: /range PRIMARY/,
  sqlite: /SEARCH sessions USING INDEX sqlite_autoindex_sessions_1/,
});

describeDatabases('what is written by the way', (name) => {
  const app = useApplication(name, { tables: [Sessions] });

  it('finds its rows by their keys, one or many of them', async () => {
    const { entity, lastUse } = app.get(SessionsRegistry).store(Sessions);
    const adapter = new TypeOrmAdapter(app.dataSource);
    const common = { data: {}, expiresAt: at(7 * DAY), createdAt: at(0), updatedAt: at(0) };
    const others = Array.from({ length: ROWS }, (_, i) => {
      return { ...common, id: adapter.autogenerate('binaryId'), authTokenDigest: digestOf(`none-${i}`) };
    });
    await adapter.insertAll(entity, others);
    const created = await Promise.all(Array.from({ length: AT_ONCE }, () => app.get(Sessions).create({})));
    await app.dataSource.query(isMysql(name) ? 'ANALYZE TABLE sessions' : 'ANALYZE sessions');
    const log = new UpdateLog();
    app.dataSource.setOptions({ logging: true, logger: log });
    app.clock.advance(2 * DAY);
    await Promise.all(created.map(({ authToken }) => app.get(Sessions).authenticate(authToken)));
    await lastUse!.flush();
    const statements = [...log.sent];
    expect(statements.length).toBeGreaterThan(2);
    expect(new Set(statements.map(({ text }) => text.includes('lastUsedAt')))).toEqual(new Set([true, false]));
    for (const sent of statements) {
      const plan = `${sent.text}\n${await planOf(name, app.dataSource, sent)}`;
      expect(plan).not.toMatch(OTHERWISE[name]);
      expect(plan).toMatch(BY_KEY[name]);
    }
  });

  it.runIf(name === 'postgres')('is kept prepared', async () => {
    const { authToken } = await app.get(Sessions).create({});
    app.clock.advance(2 * DAY);
    const log = new UpdateLog();
    app.dataSource.setOptions({ logging: true, logger: log });
    await app.get(Sessions).authenticate(authToken);
    const [sent] = log.sent;
    const kept = await app.dataSource.query<object[]>('SELECT 1 FROM pg_prepared_statements WHERE statement = $1', [
      sent!.text,
    ]);
    expect(sent!.text).toContain('FOR UPDATE SKIP LOCKED');
    expect(kept).toHaveLength(1);
  });
});
