import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import * as library from '@app/sessions';
import { DOCUMENTS, read, ROOT } from './documents.js';
import { membersOf, type Member } from './interfaces.js';
import { anchorsOf, linksOf, tableUnder } from './markdown.js';

const OPTIONS_IN = {
  TableOptions: 'README.md',
  SessionsModuleOptions: 'README.md',
  PruningOptions: 'README.md',
  RetentionOptions: 'README.md',
  SessionCookieOptions: 'README.md',
  CacheOptions: 'README.md',
  LookUpOptions: 'README.md',
  LiveOptions: 'docs/live.md',
  SessionsTableDefinition: 'README.md',
  FieldDefinition: 'docs/tables.md',
  ColumnMapping: 'docs/tables.md',
  KeyMapping: 'docs/tables.md',
  SessionLimit: 'README.md',
  LastUseDefinition: 'README.md',
  FindOptions: 'docs/queries.md',
  AuthenticateOptions: 'docs/queries.md',
  PostgresChannelOptions: 'docs/scaling.md',
  ClearCookieOptions: 'docs/guard.md',
  SessionGuardOptions: 'docs/guard.md',
  DtoOptions: 'docs/openapi.md',
};

describe('the reference', () => {
  let members: Map<string, Member[]>;
  beforeAll(() => {
    members = membersOf([...Object.keys(OPTIONS_IN), 'SessionsAdapter']);
  });

  it.each(Object.entries(OPTIONS_IN))('lists every option of %s, and no other, in %s', (name, file) => {
    const listed = tableUnder(read(file), `options: ${name}`).map(([option]) => option!.replaceAll('`', ''));
    const declared = members.get(name)!.map((member) => member.name);
    expect(listed.toSorted()).toEqual(declared.toSorted());
  });

  it.each(Object.entries(OPTIONS_IN))('gives the defaults of %s as the docstrings do, in %s', (name, file) => {
    const rows = tableUnder(read(file), `options: ${name}`).map((row) => row.map((cell) => cell.replaceAll('`', '')));
    const given = rows
      .filter(([, value]) => value !== '' && value !== 'none')
      .map(([option, value]) => [option, value]);
    const stated = members.get(name)!.filter((member) => member.default !== undefined);
    expect(Object.fromEntries(stated.map((member) => [member.name, member.default]))).toEqual(
      Object.fromEntries(given),
    );
  });

  it('lists every call of the service', () => {
    expect(namesIn(tableUnder(read('README.md'), 'Service methods'))).toEqual(callsOf(library.SessionsService));
  });

  it('lists every step of a query', () => {
    expect(namesIn(tableUnder(read('docs/queries.md'), 'Chained queries'))).toEqual(callsOf(library.SessionQuery));
  });

  it('lists every call of the port', () => {
    const calls = namesIn(tableUnder(read('docs/adapters.md'), 'Adapters'));
    expect(calls).toEqual(
      members
        .get('SessionsAdapter')!
        .map(({ name }) => name)
        .toSorted(),
    );
  });

  it('lists every error with its code and its status', () => {
    const rows = tableUnder(read('README.md'), 'Errors').map((row) =>
      row.slice(0, 3).map((cell) => cell.replaceAll('`', '')),
    );
    expect(new Set(rows)).toEqual(new Set(thrownErrors()));
  });

  it.each(readdirSync(join(ROOT, 'libs/sessions/api')).filter((name) => name.endsWith('.api.md')))(
    'leaves nothing without a docstring, by the report %s',
    (report) => {
      const lines = read(`libs/sessions/api/${report}`).split('\n');
      expect(lines.flatMap((line, i) => (line.includes('(undocumented)') ? [lines[i + 1]] : []))).toEqual([]);
    },
  );

  it('names every value that the library exports', () => {
    const text = DOCUMENTS.map(read).join('\n');
    const unnamed = Object.keys(library).filter((name) => !new RegExp(`\\b${name}\\b`).test(text));
    expect(unnamed).toEqual([]);
  });
});

describe.each(DOCUMENTS)('the links of %s', (file) => {
  it('lead somewhere', () => {
    const links = linksOf(read(file)).filter((address) => !/^https?:/.test(address));
    expect(links.filter((address) => !leadsSomewhere(file, address))).toEqual([]);
  });

  it('and the test files that it names, are there', () => {
    const named = [...read(file).matchAll(/`((?:test|libs)\/[\w./-]+)`/g)].map(([, path]) => path!);
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

/** The names of the calls in the first column of a table, such as `create` in `create(attributes)`. */
function namesIn(rows: readonly string[][]): string[] {
  return rows.flatMap(([cell]) => [...cell!.matchAll(/(\w+)\(/g)].map(([, name]) => name!)).toSorted();
}

/** The public calls of a class; what begins with # or is an accessor does not show here. */
function callsOf({ prototype }: { prototype: object }): string[] {
  return Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([name, { value }]) => name !== 'constructor' && typeof value === 'function')
    .map(([name]) => name)
    .toSorted();
}

function thrownErrors(): string[][] {
  const { SessionsConfigError, MultipleSessionsError, SessionLimitError, SessionNotFoundError } = library;
  const { SessionsUnavailableError, SessionValidationError } = library;
  const { StaleCredentialsError, StaleEntryError, StaleSessionError, UniqueConstraintError } = library;
  const { UnreadableRowError, UnsupportedQueryError } = library;
  const thrown = [
    new SessionsConfigError([]),
    new MultipleSessionsError('t'),
    new SessionLimitError('t', 'field', 1),
    new SessionsUnavailableError('t', 'is locked.'),
    new SessionNotFoundError('t'),
    new SessionValidationError('t', {}),
    new StaleCredentialsError('t', 'field'),
    new StaleEntryError('t'),
    new StaleSessionError('t', 'id'),
    new UniqueConstraintError('t', []),
    new UnreadableRowError('t', 'column', {}, { cause: 'why' }),
    new UnsupportedQueryError('t'),
  ];
  const exported = Object.values(library).filter(
    (value) =>
      typeof value === 'function' && value !== library.SessionsError && library.SessionsError.is(value.prototype),
  );
  expect(thrown.map((error) => error.constructor)).toEqual(expect.arrayContaining(exported));
  return thrown.map((error) => [error.name, error.code, String(error.statusCode ?? '')]);
}

function leadsSomewhere(file: string, address: string): boolean {
  const [path = '', anchor] = address.split('#');
  const target = path === '' ? file : normalize(join(dirname(file), path));
  if (!existsSync(join(ROOT, target))) return false;
  return anchor === undefined || anchorsOf(read(target)).includes(anchor);
}
