import { beforeEach, expect, it } from 'vitest';
import { SessionsTable } from '@app/sessions';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { type DatabaseName, describeDatabases, mysqlAlike } from '../support/databases.js';
import { useApplication } from '../support/application.js';
import { at, DAY } from '../support/clock.js';

class Sessions extends SessionsTable({ lastUse: true, extraFields: { number: { type: 'int' } } }) {}

const MANY = 30;
const SPOILT = 17;

/** A trigger of the application's that takes no change of one row. */
const TRIGGER: Readonly<Record<DatabaseName, readonly string[]>> = mysqlAlike({
  sqlite: [
    `CREATE TRIGGER spoil BEFORE UPDATE ON sessions WHEN NEW.number = ${SPOILT} BEGIN SELECT RAISE(ABORT, 'not this one'); END`,
  ],
  postgres: [
    `CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF NEW.number = ${SPOILT} THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$`,
    'CREATE TRIGGER spoil BEFORE UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION spoil()',
  ],
  mariadb: [
    `CREATE TRIGGER spoil BEFORE UPDATE ON sessions FOR EACH ROW
      IF NEW.number = ${SPOILT} THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not this one'; END IF`,
  ],
});

describeDatabases('one row that cannot be written', (name) => {
  const app = useApplication(name, { tables: [Sessions] });
  let spoils = false;
  beforeEach(async () => {
    if (!spoils) for (const statement of TRIGGER[name]) await app.dataSource.query(statement);
    spoils = true;
  });

  const create = () => Promise.all(Array.from({ length: MANY }, (_, number) => app.get(Sessions).create({ number })));
  const authenticateAll = (tokens: readonly { authToken: string }[]) =>
    Promise.all(tokens.map(({ authToken }) => app.get(Sessions).authenticate(authToken)));

  it('is let in with the end that it has, and the others are extended', async () => {
    const created = await create();
    app.clock.advance(2 * DAY);
    // Twice, so that most of them come while others are under way.
    for (let i = 0; i < 2; i++) {
      const found = await authenticateAll(created);
      const ends = found.map((session) => session!.expiresAt);
      expect(ends).toEqual(created.map((_, number) => at((number === SPOILT ? 7 : 9) * DAY)));
    }
  });

  it('keeps no other from having its last use written', async () => {
    const created = await create();
    await authenticateAll(created);
    await app.get(SessionsRegistry).store(Sessions).lastUse!.flush();
    const unused = await app.get(Sessions).list({ lastUsedAt: null });
    expect(unused.map(({ number }) => number)).toEqual([SPOILT]);
  });
});
