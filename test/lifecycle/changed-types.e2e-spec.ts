import { beforeAll, expect, it } from 'vitest';
import { useApplication } from '../support/application.js';
import { describeDatabases, isMysql } from '../support/databases.js';
import { Sessions } from '../support/sessions.js';

describeDatabases('after the type of a column has changed', (name) => {
  const app = useApplication(name, { tables: [Sessions] });
  let sessions: Sessions;
  beforeAll(() => {
    sessions = app.get(Sessions);
  });

  it.skipIf(name === 'sqlite')(
    'the first statement in a transaction finds its rows, and so does the next',
    async () => {
      const { authToken } = await sessions.create({ userId: 'u1' });
      const found = () =>
        app.dataSource.transaction(async (manager) => [
          await sessions.authenticate(authToken, { manager }),
          await sessions.get({ authToken }, { manager }),
        ]);
      const before = await found();
      const alter = name === 'postgres' ? 'ALTER COLUMN "userId" TYPE text' : 'MODIFY userId text NOT NULL';
      if (isMysql(name))
        await app.dataSource.query('ALTER TABLE sessions DROP INDEX ??'.replace('??', await indexOf()));
      await app.dataSource.query(`ALTER TABLE sessions ${alter}`);
      expect(await found()).toEqual(before);
      expect(await found()).toEqual(before);
      expect(await sessions.authenticate(authToken)).toEqual(before[0]);
    },
  );

  const indexOf = async (): Promise<string> => {
    const [row] = await app.dataSource.query<{ Key_name: string }[]>(
      "SHOW INDEX FROM sessions WHERE Column_name = 'userId'",
    );
    return row!.Key_name;
  };
});
