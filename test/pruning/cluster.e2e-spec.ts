import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { deletedElsewhere } from '../../libs/sessions/src/module/messages.js';
import { useCompiledLibrary } from '../support/compiled-library.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { addSessions, DELETED, NOW, Sessions } from './pruning-app.js';

const SKIPPED = new RegExp(deletedElsewhere('sessions'));
const ROWS = 200;

const servers = (['postgres', 'mariadb'] as const).filter((name) => inject(`${name}Url`) !== undefined);

const libraryUrl = useCompiledLibrary();

/** A process of the cluster, and the lines that it has logged. */
class NodeProcess {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;

  constructor(database: TestDatabase, name: string) {
    const env = {
      ...process.env,
      DATABASE_URL: database.url,
      DATABASE_TYPE: name,
      LIBRARY: libraryUrl(),
    };
    this.#child = fork(join(import.meta.dirname, 'node.mjs'), { env, execArgv: [] });
    this.#child.on('message', (line) => this.lines.push(line as string));
  }

  /** The first line that matches, as soon as it is there. */
  async next(pattern: RegExp): Promise<string> {
    for (;;) {
      const line = this.lines.find((text) => pattern.test(text));
      if (line !== undefined) return line;
      if (this.#hasEnded()) throw new Error(`The node ended without a line like ${pattern}:\n${this.lines.join('\n')}`);
      await Promise.race([once(this.#child, 'message'), once(this.#child, 'exit')]);
    }
  }

  /** Closes the application, and resolves with the code of the process. */
  async stop(): Promise<number | null> {
    this.#child.send('stop');
    const [code] = (await once(this.#child, 'exit')) as [number | null];
    return code;
  }

  async kill(): Promise<void> {
    if (this.#hasEnded()) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}

/** Processes of their own, one of which was once not heard of again while the machine was busy; why is not known. */
const ONCE_MORE = { timeout: 90_000, retry: 2 };

describe.each(servers)('two processes on one database: %s', ONCE_MORE, (name) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let nodes: NodeProcess[] = [];
  beforeEach(async ({ onTestFailed }) => {
    onTestFailed(() => console.error(nodes.map(({ lines }, i) => `node ${i}:\n${lines.join('\n')}`).join('\n\n')));
    database = await createDatabase(name);
    dataSource = new DataSource({ ...database.options, entities: [Sessions.entity], synchronize: true });
    await dataSource.initialize();
    await addSessions(dataSource, ROWS, () => NOW);
  });
  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.kill()));
    await dataSource.destroy();
    await database.drop();
  });

  /** Starts both while nobody can delete rows, so that the one which has the work cannot have done it; lets go after `fn`. */
  async function withoutDeleting<T>(fn: (nodes: [NodeProcess, NodeProcess]) => Promise<T>): Promise<T> {
    const runner = dataSource.createQueryRunner();
    try {
      if (name === 'postgres') await runner.startTransaction();
      await runner.query(name === 'postgres' ? 'LOCK TABLE sessions IN EXCLUSIVE MODE' : 'LOCK TABLES sessions WRITE');
      nodes = [new NodeProcess(database, name), new NodeProcess(database, name)];
      return await fn(nodes as [NodeProcess, NodeProcess]);
    } finally {
      if (name === 'postgres') await runner.commitTransaction();
      else await runner.query('UNLOCK TABLES');
      await runner.release();
    }
  }

  /** Which of the two finds that the other one has the work. */
  const bystander = async ([a, b]: [NodeProcess, NodeProcess]): Promise<[NodeProcess, NodeProcess]> =>
    Promise.race([
      a.next(SKIPPED).then(() => [b, a] as [NodeProcess, NodeProcess]),
      b.next(SKIPPED).then(() => [a, b] as [NodeProcess, NodeProcess]),
    ]);

  it('leave the work to one of them at a time', async () => {
    const [worker, idle] = await withoutDeleting(bystander);
    expect(await worker.next(DELETED)).toMatch(new RegExp(`^Deleted ${ROWS} expired rows`));
    expect(worker.lines.filter((line) => SKIPPED.test(line))).toEqual([]);
    expect(idle.lines.filter((line) => DELETED.test(line))).toEqual([]);
  });

  it('do the work of one that was killed', async () => {
    const idle = await withoutDeleting(async (both) => {
      const [worker, other] = await bystander(both);
      await worker.kill();
      return other;
    });
    await addSessions(dataSource, ROWS, () => NOW);
    await idle.next(DELETED);
    expect(idle.lines.filter((line) => /fail/.test(line))).toEqual([]);
  });

  it('end by themselves when they are told to', async () => {
    const [worker, idle] = await withoutDeleting(bystander);
    expect(await Promise.all([worker.stop(), idle.stop()])).toEqual([0, 0]);
  });
});
