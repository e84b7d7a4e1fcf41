import { beforeAll, describe, expect, inject, it } from 'vitest';
import { SessionsTable, SessionsUnavailableError } from '@app/sessions';
import { useApplication } from '../support/application.js';

const FIELDS = { extraFields: { userId: { type: 'string', index: true } } } as const;
class Sessions extends SessionsTable(FIELDS) {}
class Limited extends SessionsTable({ ...FIELDS, table: 'limited', sessionLimits: { userId: { max: 1 } } }) {}

/** A trigger that takes no row of some users; only PostgreSQL's say nothing of that. */
const KEEPS_OUT = [
  `CREATE FUNCTION keep_out() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF NEW."userId" LIKE 'nobody%' THEN RETURN NULL; END IF; RETURN NEW; END $$`,
  ...['sessions', 'limited'].map(
    (table) => `CREATE TRIGGER keep_out BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION keep_out()`,
  ),
];

const USERS = Array.from({ length: 24 }, (_, i) => `${i % 4 === 3 ? 'nobody' : 'user'} ${i}`);

describe.runIf(inject('postgresUrl') !== undefined)(
  'a trigger that is made after the start, and keeps rows out',
  () => {
    const app = useApplication('postgres', { tables: [Sessions, Limited], options: { defaultTable: 'sessions' } });

    beforeAll(async () => {
      for (const statement of KEEPS_OUT) await app.dataSource.query(statement);
    });

    it.each([
      ['by themselves', Sessions],
      ['under limits', Limited],
    ])('refuses those sign-ins, and no other that travels with them: %s', async (_, table) => {
      const sessions = app.get(table);
      const begun = await Promise.allSettled(USERS.map((userId) => sessions.create({ userId })));
      const outcomes = await Promise.all(
        begun.map(async (one) => {
          if (one.status === 'fulfilled') return (await sessions.authenticate(one.value.authToken))?.userId;
          return one.reason instanceof SessionsUnavailableError ? 'unavailable' : (one.reason as unknown);
        }),
      );
      expect(outcomes).toEqual(USERS.map((userId) => (userId.startsWith('nobody') ? 'unavailable' : userId)));
    });
  },
);
