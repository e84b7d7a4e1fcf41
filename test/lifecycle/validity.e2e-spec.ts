import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type SessionsService, SessionsTable } from '@app/sessions';
import { allOf } from '../../libs/sessions/src/adapters/port/query.js';
import { sessionFrom } from '../../libs/sessions/src/lifecycle/read-session.js';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { expired, isValid, valid } from '../../libs/sessions/src/session/validity.js';
import { describeStorages, useApplication } from '../support/application.js';
import { runs } from '../support/runs.js';
import { at, DAY, HOUR } from '../support/clock.js';
import { describeDatabases } from '../support/databases.js';
import { planOf, type Sent } from '../support/statement-log.js';
import { QueryLog } from '../support/query-log.js';

const USER = { extraFields: { userId: { type: 'string', default: 'u1', index: true } } } as const;

class Plain extends SessionsTable({ ...USER, table: 'plain' }) {}
class Revocable extends SessionsTable({ ...USER, table: 'revocable', revocation: true }) {}
class Fresh extends SessionsTable({ ...USER, table: 'fresh', freshness: true }) {}
class Own extends SessionsTable({ ...USER, table: 'own', ownLimits: true }) {}
class All extends SessionsTable({
  ...USER,
  table: 'all_columns',
  absoluteTtl: '30d',
  revocation: true,
  ownLimits: true,
  freshness: true,
}) {}

const TABLES = [Plain, Revocable, Fresh, Own, All] as const;

/** Times about now, and about what the limits make of now. */
const times = fc
  .tuple(fc.constantFrom(-365 * DAY, -DAY, -HOUR, 0, HOUR, DAY), fc.integer({ min: -2, max: 2 }))
  .map(([from, off]) => at(from + off));
const rows = fc.record({
  expiresAt: fc.option(times),
  createdAt: times,
  authenticatedAt: fc.option(times),
  absoluteExpiresAt: fc.option(times),
  revokedAt: fc.option(times, { freq: 2 }),
});
const limits = fc.constantFrom(null, 1, HOUR, DAY, DAY + 1, 365 * DAY);

describeStorages('a session', (name) => {
  const app = useApplication(name, { tables: TABLES, options: { defaultTable: 'plain' } });

  it.each(TABLES)('is valid as a copy if, and only if, the conditions find its row (%o)', async (table) => {
    const store = app.get(SessionsRegistry).store(table);
    const { adapter, entity, columns } = store;
    const { id } = await app.get<SessionsService>(table).create({});
    const found = async (where: ReturnType<typeof valid>): Promise<boolean> => {
      const prepared = adapter.prepare('all', entity, { where: allOf({ id }, where), count: true });
      return (await adapter.execute(prepared)).count > 0;
    };
    await fc.assert(
      fc.asyncProperty(rows, limits, times, async (given, absoluteMs, now) => {
        const row = Object.fromEntries(Object.entries(given).filter(([column]) => columns.columns.has(column)));
        const copy = sessionFrom(store, await adapter.update(entity, row, { id }, store.selected));
        const lifetime = { ...store.options, absoluteMs };
        const isFound = await found(valid({ columns, options: lifetime }, now));
        expect(isValid(copy, lifetime, now.getTime())).toBe(isFound);
        expect(await found(expired({ columns, options: lifetime }, now))).toBe(!isFound && !copy.revokedAt);
      }),
      { numRuns: runs(100) },
    );
  });
});

const MOST_CHARACTERS: Readonly<Record<string, number>> = {
  revoke: 700,
  expire: 700,
  revokeAll: 700,
  revokeOthers: 720,
};

describeDatabases('what ends sessions by their conditions', (name) => {
  const app = useApplication(name, { tables: [All], options: { defaultTable: 'all_columns' } });
  const sent: Sent[] = [];
  class Log extends QueryLog {
    override logQuery(text: string, parameters: readonly unknown[] = []): void {
      if (/\bUPDATE\b/.test(text)) sent.push({ text, parameters });
    }
  }
  beforeAll(() => void app.dataSource.setOptions({ logging: true, logger: new Log() }));

  const ACTS: Readonly<Record<string, (sessions: All) => Promise<unknown>>> = {
    revoke: async (sessions) => sessions.revoke(await sessions.create({})),
    expire: async (sessions) => sessions.expire(await sessions.create({})),
    revokeAll: (sessions) => sessions.revokeAll({ userId: 'u1' }),
    revokeOthers: (sessions) => sessions.revokeOthers({ id: '019b0000-0000-7000-8000-000000000000' }, { userId: 'u1' }),
  };

  describe.each(Object.keys(ACTS))('%s', (act) => {
    it('says each of them once, in few characters, and searches by one index', async () => {
      sent.length = 0;
      await ACTS[act]!(app.get(All));
      expect(sent).toHaveLength(1);
      const [{ text }] = sent as [Sent];
      for (const column of ['expiresAt', 'createdAt'])
        expect(text.match(new RegExp(`${column}\\W >=? [$?]`, 'g'))).toHaveLength(1);
      expect(text.length).toBeLessThanOrEqual(MOST_CHARACTERS[act]!);
      if (name !== 'sqlite') return;
      const plan = await planOf(name, app.dataSource, sent[0]!);
      expect(plan.match(/SEARCH/g)).toHaveLength(1);
      expect(plan).toMatch(/SEARCH all_columns USING INDEX \S+ \((id|userId)=\?\)/);
      expect(plan).not.toMatch(/SCAN all_columns/);
    });
  });
});
