import { inspect } from 'node:util';
import { QueryFailedError } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { portError } from './port-errors.js';
import type { SqlTable } from './sql-table.js';

/** Shorter than a digest, so that its length does not mark it as a secret. */
const TOKEN = 'short-token-1234';

describe('an error of a database that tells of a token', () => {
  it.each([
    ['where no partition takes the row', { code: '23514' }],
    ['where the work was undone', { code: '40001' }],
  ])('shows it no more %s', (_, said) => {
    const driverError = Object.assign(new Error(`the row (${TOKEN}) is none`), said);
    const error = new QueryFailedError('INSERT', [TOKEN], driverError);
    const shown = portError(error, { name: 'sessions' } as SqlTable, false, [TOKEN]);
    expect(shown).toMatchObject({ name: 'SessionsUnavailableError' });
    expect(inspect(shown, { depth: 10 })).not.toContain(TOKEN);
  });
});

describe('an error for a missing table', () => {
  const missing = (message: string, tableName = 'Sessions'): unknown => {
    const table = { name: 'sessions', metadata: { tableName } } as SqlTable;
    const failure = Object.assign(new Error(message), { code: '42P01' });
    return portError(new QueryFailedError('SELECT', [], failure), table, false);
  };

  it.each([
    'relation "Sessions" does not exist',
    'Relation »auth.Sessions« existiert nicht',
    "Table 'app.sessions' doesn't exist",
    'no such table: main.Sessions',
  ])('is of this one in %s', (message) => {
    expect(missing(message)).toMatchObject({ name: 'SessionsConfigError' });
  });

  it.each(['my-sessions', 'my sessions', 'sessions (old)'])('is of this one, named %s', (name) => {
    expect(missing(`relation "${name}" does not exist`, name)).toMatchObject({ name: 'SessionsConfigError' });
  });

  it.each([
    'relation "users" does not exist',
    "Table 'sessions_app.users' doesn't exist",
    'no such table: my-sessions',
  ])('is of another one in %s, and stays as it is', (message) => {
    expect(missing(message)).toMatchObject({ name: 'QueryFailedError', message });
  });
});
