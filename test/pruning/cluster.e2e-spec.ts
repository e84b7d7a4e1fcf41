import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SessionMark } from '@app/sessions';
import { deletedElsewhere } from '../../libs/sessions/src/module/messages.js';
import { useCompiledLibrary } from '../support/compiled-library.js';
import { createDatabase, SERVERS, type TestDatabase } from '../support/databases.js';
import { LogCapture } from '../support/log-capture.js';
import { addSessions, DELETED, NOW, Sessions } from './pruning-app.js';

const SKIPPED = new RegExp(deletedElsewhere('sessions'));
const ROWS = 200;

const libraryUrl = useCompiledLibrary();

/** A process of the cluster, and the lines that it has logged. */
class NodeProcess {
  readonly logs = new LogCapture();
  readonly #child: ChildProcess;
  readonly #ended: Promise<never>;

  constructor(database: TestDatabase, name: string) {
    const env = { ...process.env, DATABASE_URL: database.url, DATABASE_TYPE: name, LIBRARY: libraryUrl() };
    this.#child = fork(join(import.meta.dirname, 'node.mjs'), { env, execArgv: [] });
    this.#child.on('message', (line) => this.logs.log(line));
    this.#ended = once(this.#child, 'exit').then(([code]) => {
      throw new Error(`The node ended with code ${code}:\n${this.text}`);
    });
    this.#ended.catch(() => undefined);
  }

  /** All that it has logged. */
  get text(): string {
    return this.logs.lines.map(({ text }) => text).join('\n');
  }

  /** The first line that matches, as soon as it is there. */
  async next(pattern: RegExp): Promise<string> {
    return (await Promise.race([this.logs.next(pattern), this.#ended])).text;
  }

  /** Closes the application, and resolves with the code of the process. */
  async stop(): Promise<number | null> {
    const exit = once(this.#child, 'exit');
    this.#child.send('stop');
    const [code] = (await exit) as [number | null];
    return code;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended.catch(() => undefined);
  }
}

describe.each(SERVERS)('two processes on one database: %s', (name) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let nodes: NodeProcess[] = [];
  beforeEach(async ({ onTestFailed }) => {
    onTestFailed(() => console.error(nodes.map(({ text }, i) => `node ${i}:\n${text}`).join('\n\n')));
    database = await createDatabase(name);
    dataSource = new DataSource({ ...database.options, entities: [Sessions.entity, SessionMark], synchronize: true });
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
    expect(worker.logs.matching(SKIPPED)).toEqual([]);
    expect(idle.logs.matching(DELETED)).toEqual([]);
  });

  it('do the work of one that was killed, at once where a lock keeps each batch', async () => {
    await dataSource.query('DROP TABLE nest_sessions_marks');
    const idle = await withoutDeleting(async (both) => {
      const [worker, other] = await bystander(both);
      await worker.kill();
      return other;
    });
    await addSessions(dataSource, ROWS, () => NOW);
    await idle.next(DELETED);
    expect(idle.logs.matching(/fail/)).toEqual([]);
  });

  it('end by themselves when they are told to', async () => {
    const [worker, idle] = await withoutDeleting(bystander);
    expect(await Promise.all([worker.stop(), idle.stop()])).toEqual([0, 0]);
  });
});
