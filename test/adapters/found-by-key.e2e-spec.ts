import { beforeEach, expect, it } from 'vitest';
import { In } from 'typeorm';
import { SessionsTable } from '@app/sessions';
import { useApplication } from '../support/application.js';
import { describeDatabases } from '../support/databases.js';
import { isUpdate, QueryLog } from '../support/query-log.js';

class Sessions extends SessionsTable({ revocation: true }) {}

describeDatabases('sessions that are ended by a list of ids', (name) => {
  const queries = new QueryLog();
  const app = useApplication(name, { tables: [Sessions] });
  beforeEach(() => {
    app.dataSource.setOptions({ logger: queries });
  });

  it.runIf(name === 'sqlite')('are found by their key, not by the index of what is not revoked', async () => {
    const sessions = app.get(Sessions);
    const { id } = await sessions.create({});
    expect(await sessions.revokeAll({ id: In([id]) })).toBe(1);
    const update = queries.statements.findLast(isUpdate)!;
    const values = Array.from({ length: update.split('?').length - 1 }, () => '[]');
    const plan = await app.dataSource.query<{ detail: string }[]>(`EXPLAIN QUERY PLAN ${update}`, values);
    expect(plan[0]!.detail).toMatch(/^SEARCH sessions USING INDEX sqlite_autoindex_sessions_\d \(id=\?\)$/);
  });
});
