import type { Logger } from 'typeorm';

/** A logger for TypeORM that keeps the statements that were sent, and tells of each as it is. */
export class QueryLog implements Logger {
  readonly statements: string[] = [];
  /** Called before a statement reaches the database. */
  onQuery: ((statement: string) => void) | undefined;

  /** How many statements `fn` sends. */
  async countOf(fn: () => Promise<unknown>): Promise<number> {
    const before = this.statements.length;
    await fn();
    return this.statements.length - before;
  }

  logQuery(statement: string): void {
    this.statements.push(statement);
    this.onQuery?.(statement);
  }

  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}

/** Whether a statement updates rows; MariaDB may be told what it waits for before it. */
export function isUpdate(statement: string): boolean {
  return /^(SET STATEMENT .*? FOR )?UPDATE\b/.test(statement);
}

/** What a database says to who may not read something: it is there, and answers. */
export function notAllowed(): Error {
  return Object.assign(new Error('not allowed'), { code: '42501' });
}
