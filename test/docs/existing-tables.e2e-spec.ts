import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ModuleRef } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { DataSource } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { type SessionGuard, sessionOf, type SessionsService } from '@app/sessions';
import { useApplication } from '../support/application.js';
import { at, DAY, HOUR, START } from '../support/clock.js';
import { describeDatabases, isMysql, runStatements } from '../support/databases.js';
import { OPENED } from '../tables/made-by/index.js';
import { insert } from '../tables/made-by/made-by.js';
import { SANCTUM } from '../tables/made-by/sanctum.js';
import { read, ROOT } from './documents.js';
import { fencesOf } from './markdown.js';

/** The clock's start, in whole seconds. */
const NOW = new Date(Math.floor(START.getTime() / 1000) * 1000);
const END = new Date(NOW.getTime() + 7 * DAY);

const PAGE = read('docs/existing-tables.md');

describe('the page of existing tables', () => {
  const folder = join(ROOT, 'test/tables/made-by');
  const sources = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
  const snippets = fencesOf(PAGE).filter(({ language, code }) => language === 'ts' && code.includes('extends Session'));

  it.each(snippets)('has a snippet in line $line that is the tested one', ({ code }) => {
    expect(sources.some((source) => source.includes(code.trim()))).toBe(true);
  });

  it.each(OPENED)('has the definition of $tool, and the statements that it needs', ({ table, additions = {} }) => {
    expect(snippets.filter(({ code }) => code.includes(`class ${table.name} `))).toHaveLength(1);
    for (const statement of additions.postgres ?? []) expect(PAGE).toContain(statement);
  });
});

describeDatabases('tables that other tools made', (name) => {
  describe.each(OPENED.filter(({ statements }) => statements[name]))('$tool', (made) => {
    const { table, statements, additions, owner, sqliteTime } = made;
    const signIn = () => made.signIn({ database: name, now: NOW, expiresAt: END });
    const app = useApplication(name, {
      tables: [table],
      synchronize: false,
      prepare: ({ options }) =>
        // SQLite tells the form of times by the rows.
        runStatements(options, [...statements[name]!, ...(additions?.[name] ?? [])], (dataSource) =>
          insert(dataSource, { tablePath: table.definition.table! }, signIn()),
        ),
    });
    const sessions = (): SessionsService => app.get<SessionsService>(table as never);
    const written = async (changes: Record<string, unknown> = {}, zone?: string) => {
      const { row, ...made } = signIn();
      await insert(app.dataSource, app.dataSource.getMetadata(table.entity), { row: { ...row, ...changes } }, zone);
      return made;
    };
    const columnOf = (property: string): string =>
      app.dataSource.getMetadata(table.entity).findColumnWithPropertyName(property)!.databaseName;

    it('have nothing that cannot work', async () => {
      expect(await sessions().doctor()).toMatchObject({ problems: [] });
    });

    it('let in whom the tool has signed in', async () => {
      const { token } = await written();
      const session = await sessions().authenticate(token, { autoExtend: false });
      expect(session).toMatchObject({ ...owner, expiresAt: END, createdAt: NOW });
      expect(await sessions().get({ id: session!.id }, { autoExtend: false })).toEqual(session);
    });

    it.runIf(signIn().sent)('have a guard that takes what clients of the tool send', async () => {
      const sent = (await written()).sent!;
      const guard = await app.get<ModuleRef>(ModuleRef as never).create<SessionGuard>(sent.guard);
      const request = { headers: { authorization: sent.authorization } };
      const context = new ExecutionContextHost([request, {}], class Controller {}, () => undefined);
      expect(await guard.canActivate(context)).toBe(true);
      expect(sessionOf(context)).toMatchObject(owner);
    });

    it('keep, list, change and end what the library writes', async () => {
      const { authToken, ...created } = await sessions().create({ ...owner, data: { theme: 'dark' } });
      expect(await sessions().authenticate(authToken)).toEqual(created);
      expect(await sessions().list({ id: created.id })).toEqual([created]);
      app.clock.advance(2 * DAY);
      const used = await sessions().authenticate(authToken);
      expect(used!.expiresAt!.getTime()).toBe(created.expiresAt!.getTime() + 2 * DAY);
      expect(await sessions().update(used!, { data: { theme: 'light' } })).toMatchObject({ data: { theme: 'light' } });
      const { token } = await written();
      expect(await sessions().revoke((await sessions().authenticate(token))!)).toBe(true);
      expect(await sessions().authenticate(token)).toBeNull();
      expect(await sessions().list()).toMatchObject([{ id: created.id }]);
    });

    it('are pruned of what has ended, whoever wrote it', async () => {
      await written();
      const { id } = await sessions().create({ ...owner, expiresAt: at(30 * DAY) });
      app.clock.advance(8 * DAY);
      expect(await sessions().deleteExpired()).toBe(1);
      expect(await sessions().list({ status: 'all' })).toMatchObject([{ id }]);
    });

    it.runIf(name === 'sqlite')('hold times in the form of the tool', async () => {
      await sessions().create({ ...owner });
      const { tablePath } = app.dataSource.getMetadata(table.entity);
      for (const property of ['expiresAt', 'createdAt', 'updatedAt']) {
        expect(await app.rawText(tablePath, columnOf(property))).toEqual([expect.stringMatching(sqliteTime!)]);
      }
    });

    it('would lose columns to synchronize and migration:generate, but not digests, unless these do not know them', async () => {
      const changes = async (dataSource: DataSource): Promise<string> =>
        (await dataSource.driver.createSchemaBuilder().log()).upQueries.map(({ query }) => query).join('\n');
      // SQLite makes the table anew for that.
      expect(await changes(app.dataSource)).toMatch(/DROP COLUMN|DROP TABLE/);
      expect(await changes(app.dataSource)).not.toContain(`DROP COLUMN ${app.quoted(columnOf('authTokenDigest'))}`);
      const without = await new DataSource({ ...app.dataSource.options, entities: [] }).initialize();
      expect(await changes(without)).toBe('');
      await without.destroy();
    });

    it('round numbers past 2^53 in data', async () => {
      const { token } = await written({ [columnOf('data')]: '{"n":9007199254740993}' });
      const session = await sessions().authenticate(token);
      expect(session!.data).toEqual({ n: 2 ** 53 });
      await sessions().update(session!, { data: { ...session!.data, m: 1 } });
      const [data] = await app.rawText(app.dataSource.getMetadata(table.entity).tablePath, columnOf('data'));
      expect(data).toMatch(/9007199254740992/);
    });

    it.runIf(isMysql(name))('have other times where timestamp is written by a clock that is not in UTC', async () => {
      const { token } = await written({}, '+05:00');
      const [{ type }] = await app.dataSource.query<[{ type: string }]>(
        `SELECT data_type AS type FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ? AND column_name = ?`,
        [table.definition.table, columnOf('expiresAt')],
      );
      const session = await sessions().authenticate(token, { autoExtend: false });
      expect(session!.expiresAt).toEqual(type === 'timestamp' ? new Date(END.getTime() - 5 * HOUR) : END);
    });
  });
});

describeDatabases('times that a tool has left null', (name) => {
  const { table, statements, additions, signIn } = SANCTUM;
  const app = useApplication(name, {
    tables: [table],
    synchronize: false,
    prepare: ({ options }) => runStatements(options, [...statements[name]!, ...additions![name]!]),
  });

  it('are the year 1000, but a null end is none', async () => {
    const { row, token } = signIn({ database: name, now: NOW, expiresAt: END });
    const none = { created_at: null, updated_at: null, expires_at: null };
    await insert(app.dataSource, app.dataSource.getMetadata(table.entity), { row: { ...row, ...none } });
    const year = new Date('1000-01-01T00:00:00.000Z');
    const session = await app.get<SessionsService>(table as never).authenticate(token);
    expect(session).toMatchObject({ createdAt: year, updatedAt: year, expiresAt: null });
  });
});
