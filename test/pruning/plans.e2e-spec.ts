import { expect, it } from 'vitest';
import { SessionsTable, TypeOrmAdapter } from '@app/sessions';
import { pruneExpired } from '../../libs/sessions/src/lifecycle/prune.js';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { type Setup, useApplication } from '../support/application.js';
import { DAY, HOUR, MINUTE } from '../support/clock.js';
import { type DatabaseName, describeDatabases, isMysql, mysqlAlike } from '../support/databases.js';
import { planOf, StatementLog } from '../support/statement-log.js';
import { digestOf } from '../support/digest.js';

const [EXPIRED, REVOKED, VALID] = [1500, 1000, 7500];
const BATCH = 250;
/** Enough that planning every batch for its own limit looks cheaper to PostgreSQL. */
const MANY = 50_000;

class Plain extends SessionsTable({ table: 'plain' }) {}
class Revocable extends SessionsTable({ table: 'revocable', revocation: true, retention: '1h' }) {}

const SETUP: Setup = {
  tables: [Plain, Revocable],
  // As the default is to a table of 200,000 rows.
  options: { defaultTable: 'plain', pruning: { atStart: false, interval: '1d', batchSize: BATCH } },
};

/** What a plan says where a table is scanned, or rows are sorted. */
const SCANS_OR_SORTS: Readonly<Record<DatabaseName, RegExp>> = mysqlAlike({
  postgres: /Seq Scan/,
  mariadb: / (ALL|index) |filesort|temporary/,
  sqlite: /SCAN (plain|revocable)|TEMP B-TREE/,
});

/** What a plan says where rows are found by the index on their end, or by the keys that were found so. */
const BY_INDEX: Readonly<Record<DatabaseName, RegExp>> = mysqlAlike({
  postgres: /Index Scan (using|on) "?IDX_/,
  mariadb: /range IDX_|range PRIMARY/,
  sqlite: /SEARCH (plain|revocable) USING (COVERING )?INDEX IDX_/,
});

/** How many rows PostgreSQL means to sort: where not many more than a batch are left, it takes all by the index and sorts them. */
function sortedRows(plan: string): number {
  return Number(/Sort {2}\(cost=\S+ rows=(\d+)/.exec(plan)?.[1] ?? 0);
}

describeDatabases('every statement of the expiry job', (name) => {
  const app = useApplication(name, SETUP);

  /** Rows that end about in the order in which they came. */
  async function fill(table: typeof Plain | typeof Revocable, rows: number, row: (i: number) => object): Promise<void> {
    const adapter = new TypeOrmAdapter(app.dataSource);
    const common = { data: {}, createdAt: app.clock.now, updatedAt: app.clock.now };
    const all = Array.from({ length: rows }, (_, n) => {
      const i = Math.min(rows - 1, n + ((n * 7919) % 100));
      return {
        id: adapter.autogenerate('binaryId'),
        authTokenDigest: digestOf(`none-${process.hrtime.bigint()}-${i}`),
        ...common,
        ...row(i),
      };
    });
    await adapter.insertAll(table.entity, all);
  }

  const at = (ms: number): Date => new Date(app.clock.now.getTime() + ms);

  /** Rows that have ended, and more that have not, as the database's statistics know. */
  async function fillAll(table: typeof Plain | typeof Revocable): Promise<void> {
    const revoked = (i: number): object => (table === Revocable ? { revokedAt: at(-HOUR - (REVOKED - i) * 1000) } : {});
    await fill(table, REVOKED, (i) => ({ expiresAt: at(-DAY - (REVOKED - i) * 1000), ...revoked(i) }));
    await fill(table, EXPIRED, (i) => ({ expiresAt: at(-(EXPIRED - i) * 1000) }));
    await fill(table, VALID, (i) => ({ expiresAt: at(MINUTE + i * 1000) }));
    const quoted = app.quoted(app.get(SessionsRegistry).store(table).name);
    await app.dataSource.query(isMysql(app.name) ? `ANALYZE TABLE ${quoted}` : `ANALYZE ${quoted}`);
  }

  it.each([Plain, Revocable])(
    'uses the index of the table $name, neither scans nor sorts more than is left for a few batches',
    async (table) => {
      const store = app.get(SessionsRegistry).store(table);
      await fillAll(table);
      const log = new StatementLog();
      app.dataSource.setOptions({ logging: true, logger: log });
      expect(await pruneExpired(store, store.adapter)).toBe(EXPIRED + REVOKED);
      const statements = [...log.sent];
      await app.reset();
      await fillAll(table);

      expect(statements.length).toBeGreaterThan((EXPIRED + REVOKED) / BATCH);
      // All but the first of each kind begin where the last one ended.
      const kinds = table === Revocable ? 2 : 1;
      const finding = statements.filter(({ text }) => text.includes('LIMIT'));
      expect(finding.filter(({ text }) => !text.includes('>='))).toHaveLength(kinds);
      for (const sent of statements) {
        const plan = `${sent.text}\n${await planOf(name, app.dataSource, sent)}`;
        expect(plan).not.toMatch(SCANS_OR_SORTS[name]);
        expect(plan).toMatch(BY_INDEX[name]);
        expect(sortedRows(plan)).toBeLessThanOrEqual(4 * BATCH);
      }
      const skipping = finding.filter(({ text }) => text.includes('FOR UPDATE SKIP LOCKED'));
      expect(skipping).toHaveLength(name === 'postgres' ? finding.length : 0);
    },
  );

  if (name === 'postgres') {
    it('is planned once for all batches, after some', async () => {
      const store = app.get(SessionsRegistry).store(Revocable);
      await app.dataSource.query(
        `INSERT INTO ${store.name} (id, "authTokenDigest", data, "createdAt", "updatedAt", "expiresAt")
         SELECT gen_random_uuid(), sha256(n::text::bytea), '{}', now(), now(), $1::timestamp + n * interval '1 second'
         FROM generate_series(1, ${2 * MANY}) AS n`,
        [at(-MANY * 1000).toISOString()],
      );
      await app.dataSource.query(`ANALYZE ${store.name}`);
      const log = new StatementLog();
      app.dataSource.setOptions({ logging: true, logger: log });
      expect(await pruneExpired(store, store.adapter)).toBe(MANY);
      const batches = log.sent.filter(({ text }) => text.includes('>='));

      // The pool has one connection for statements that follow each other.
      const [kept] = await app.dataSource.query<[{ name: string; once: string }]>(
        'SELECT name, generic_plans AS once FROM pg_prepared_statements WHERE statement = $1',
        [batches[0]!.text],
      );
      expect(Number(kept.once)).toBeGreaterThan(0.9 * batches.length);
      const parameters = batches[0]!.parameters.map((value) => `'${String(value)}'`).join(', ');
      const plan = await planOf(name, app.dataSource, {
        text: `EXECUTE "${kept.name}"(${parameters})`,
        parameters: [],
      });
      expect(plan).toMatch(/\$\d/);
      expect(plan).not.toMatch(SCANS_OR_SORTS[name]);
      expect(plan).not.toContain('Sort');
      expect(plan).toContain('Tid Scan');
      expect(plan).toMatch(BY_INDEX[name]);
    });
  }
});
