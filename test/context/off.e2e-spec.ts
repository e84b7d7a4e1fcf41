import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { SessionsTable } from '@app/sessions';
import { SessionContext, SessionContextModule } from '@app/sessions/context';
import { SessionsTestingModule } from '@app/sessions/testing';
import { ROOT } from '../docs/documents.js';
import { describePlatforms, HttpApp } from '../support/http-app.js';

type Adding = (...given: unknown[]) => unknown;

class Sessions extends SessionsTable({}) {}

/** The files that a file imports, and those that they import. */
function importsOf(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, target] of readFileSync(file, 'utf8').matchAll(/(?:from|import\(|import) ?'(\.[^']+)\.js'/g))
    importsOf(join(dirname(file), `${target}.ts`), found);
  return found;
}

const contextFiles = (entry: string): string[] =>
  [...importsOf(join(ROOT, `libs/sessions/src/${entry}.ts`))].filter((file) => file.includes('/context/'));

describe('what an application without SessionContext imports', () => {
  it.each(['index', 'testing/index', 'swagger/index'])('has nothing of it: %s', (entry) => {
    expect(contextFiles(entry)).toEqual([]);
  });

  it('is looked for in a way that finds it', () => {
    expect(contextFiles('context/index')).toHaveLength(4);
  });
});

describePlatforms('an application without SessionContext', (platform) => {
  const open: HttpApp[] = [];
  afterEach(() => Promise.all(open.splice(0).map((app) => app.close())));

  /** How often each kind of middleware, or hook, is put before the routes. */
  const addedBy = async (imports: readonly object[]): Promise<string[]> => {
    const added: string[] = [];
    const app = await HttpApp.start(
      platform,
      { imports },
      {
        prepare(nest) {
          const instance = nest.getHttpAdapter().getInstance() as Partial<Record<'use' | 'addHook', Adding>>;
          for (const name of ['use', 'addHook'] as const) {
            const original = instance[name];
            if (!original) continue;
            instance[name] = function (this: unknown, ...given: unknown[]) {
              added.push([name, ...given.filter((one) => typeof one === 'string')].join(' '));
              return original.apply(this, given);
            };
          }
        },
      },
    );
    open.push(app);
    return added;
  };

  it('has no middleware and no hook more than one without sessions, and it cannot be injected there', async () => {
    const sessions = SessionsTestingModule.forTables([Sessions]);
    const without = await addedBy([]);
    expect(await addedBy([sessions])).toEqual(without);
    expect(() => open[1]!.nest.get(SessionContext)).toThrow('SessionContext');
    expect(await addedBy([sessions, SessionContextModule])).toHaveLength(without.length + 1);
  });
});
