import type { DataSource, EntitySubscriberInterface, QueryRunner } from 'typeorm';

type Action = () => Promise<void>;

/** By connection, what waits for the end of its transaction. */
const WAITING = new WeakMap<QueryRunner, Action[]>();

/** TypeORM tells of savepoints too, which are parts of a transaction that goes on. */
const subscriber: EntitySubscriberInterface = {
  async afterTransactionCommit({ queryRunner }) {
    if (queryRunner.isTransactionActive) return;
    const actions = WAITING.get(queryRunner) ?? [];
    WAITING.delete(queryRunner);
    await runAll(actions);
  },
  // Of a transaction whose commit got no answer nobody knows how it ended, and to roll it back fails too.
  beforeTransactionRollback: ({ queryRunner }) => runAll(WAITING.get(queryRunner) ?? []),
  afterTransactionRollback({ queryRunner }) {
    if (!queryRunner.isTransactionActive) WAITING.delete(queryRunner);
  },
};

async function runAll(actions: readonly Action[]): Promise<void> {
  for (const action of actions) await action();
}

/** Runs an action when the transaction of a connection has ended, before who ended it goes on. */
export function whenEnded(dataSource: DataSource, runner: QueryRunner, action: Action): void {
  // A data source that is initialized anew has other subscribers.
  if (!dataSource.subscribers.includes(subscriber)) dataSource.subscribers.push(subscriber);
  const actions = WAITING.get(runner);
  if (actions) actions.push(action);
  else WAITING.set(runner, [action]);
}
