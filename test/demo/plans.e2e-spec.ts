import { afterAll, beforeAll, expect, it } from 'vitest';
import { SEEDED_LOGIN } from '../../apps/demo/src/seed/people.js';
import { seed } from '../../apps/demo/src/seed/seed.js';
import { Sessions } from '../../apps/demo/src/sessions/sessions.js';
import { createDatabase, describeDatabases, type TestDatabase } from '../support/databases.js';
import { planOf, StatementLog } from '../support/statement-log.js';
import { DemoApp } from './support/demo-app.js';

const SESSIONS = 20_000;

describeDatabases('the list of devices', (name) => {
  let database: TestDatabase;
  let app: DemoApp;
  let token: string;
  beforeAll(async () => {
    database = await createDatabase(name);
    app = await DemoApp.start(database.url);
    // Else PostgreSQL might see to its statistics by itself, or might not.
    if (name === 'postgres') await app.dataSource.query('ALTER TABLE sessions SET (autovacuum_enabled = off)');
    await seed(app.storage, { sessions: SESSIONS });
    const { body } = await app.send('POST', '/api/login', { body: SEEDED_LOGIN });
    token = (body as { token: string }).token;
  });
  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  it.each(['valid', 'ended'])(
    'finds the %s sessions of a user among many by the index on users, and by no other',
    async (show) => {
      const log = new StatementLog();
      app.dataSource.setOptions({ logger: log });
      await app.send('GET', `/account/devices?show=${show}`, { token });
      // The log of activities may still be busy with the log-in.
      const statements = log.sent.filter(({ text }) => /\bsessions\b.*userId\W+(?:=|IN) /s.test(text));
      expect(statements).toHaveLength(3);
      const { indices } = app.dataSource.getMetadata(Sessions.entity);
      const own = indices.find(({ columns: [first] }) => first!.propertyName === 'userId')!.name;
      for (const sent of statements) {
        const plan = await planOf(name, app.dataSource, sent);
        expect(new Set(plan.match(/\b(IDX_\w+|PRIMARY)\b|SCAN (?!CONSTANT ROW|\(subquery-)|Seq Scan| ALL /g))).toEqual(
          new Set([own]),
        );
      }
    },
  );
});
