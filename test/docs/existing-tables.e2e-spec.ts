import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ModuleRef } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { DataSource } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { type SessionGuard, sessionOf, type SessionsService } from '@app/sessions';
import { useApplication } from '../support/application.js';
import { at, DAY, START } from '../support/clock.js';
import { describeDatabases } from '../support/databases.js';
import { OPENED } from '../tables/made-by/index.js';
import { insert } from '../tables/made-by/made-by.js';
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
      prepare: async ({ options }) => {
        const dataSource = await new DataSource(options).initialize();
        for (const statement of [...statements[name]!, ...(additions?.[name] ?? [])]) await dataSource.query(statement);
        // SQLite tells the form of times by the rows.
        await insert(dataSource, { tablePath: table.definition.table! }, signIn());
        await dataSource.destroy();
      },
    });
    const sessions = (): SessionsService => app.get<SessionsService>(table as never);
    const written = async () => {
      const made = signIn();
      await insert(app.dataSource, app.dataSource.getMetadata(table.entity), made);
      return made;
    };

    it('have nothing that cannot work', async () => {
      expect(await sessions().doctor()).toMatchObject({ problems: [] });
    });

    it('let in whom the tool has signed in', async () => {
      const { token } = await written();
      const session = await sessions().authenticate(token, { autoExtend: false });
      expect(session).toMatchObject({ ...owner, expiresAt: END, createdAt: NOW });
      expect(await sessions().get({ id: session!.id }, { autoExtend: false })).toEqual(session);
    });

    it('have a guard that takes what clients of the tool send', async () => {
      const { sent } = await written();
      if (!sent) return;
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
      const { tablePath, columns } = app.dataSource.getMetadata(table.entity);
      for (const property of ['expiresAt', 'createdAt', 'updatedAt']) {
        const { databaseName } = columns.find(({ propertyName }) => propertyName === property)!;
        expect(await app.rawText(tablePath, databaseName)).toEqual([expect.stringMatching(sqliteTime)]);
      }
    });
  });
});
