import type { DataSource, EntitySubscriberInterface, QueryRunner } from 'typeorm';

type Action = () => Promise<void>;

/** The actions that wait for the end of a connection's transaction. */
const WAITING = new WeakMap<QueryRunner, Action[]>();

/** TypeORM also reports savepoints, which belong to a transaction that goes on. */
const subscriber: EntitySubscriberInterface = {
  async afterTransactionCommit({ queryRunner }) {
    if (queryRunner.isTransactionActive) return;
    const actions = WAITING.get(queryRunner) ?? [];
    WAITING.delete(queryRunner);
    await runAll(actions);
  },
  // If a commit gets no answer, its result is unknown, and the rollback fails, too.
  beforeTransactionRollback: ({ queryRunner }) => runAll(WAITING.get(queryRunner) ?? []),
  afterTransactionRollback({ queryRunner }) {
    if (!queryRunner.isTransactionActive) WAITING.delete(queryRunner);
  },
};

async function runAll(actions: readonly Action[]): Promise<void> {
  for (const action of actions) await action();
}

/** Runs an action when a connection's transaction has ended, before the code that ended it goes on. */
export function whenEnded(dataSource: DataSource, runner: QueryRunner, action: Action): void {
  // A data source that is initialised again has new subscribers.
  if (!dataSource.subscribers.includes(subscriber)) dataSource.subscribers.push(subscriber);
  const actions = WAITING.get(runner);
  if (actions) actions.push(action);
  else WAITING.set(runner, [action]);
}
