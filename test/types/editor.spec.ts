import { describe, expect, it } from 'vitest';
import { Editor } from './editor.js';

const editor = new Editor();

/** The lines of a hover in an editor that wraps them after so many characters. */
const linesOf = (hover: string, width = 120): number =>
  hover.split('\n').reduce((lines, line) => lines + Math.max(1, Math.ceil(line.length / width)), 0);

const table = (fields: string): string => `
import { SessionsTable, type SessionChangesOf, type NewSessionOf, type SessionOf } from '@app/sessions';
import { MoreThan } from 'typeorm';
class User { readonly name!: string }
export class Sessions extends SessionsTable({
  table: 'sessions',
  lastUse: { ip: true, userAgent: true },
  revocation: { reasons: ['fraud', 'device_lost'] },
  rotation: true,
  freshness: true,
  ownLimits: true,
  scopes: ['posts:read', 'posts:write', 'users:read'],
  sessionLimits: { userId: { max: 3 } },
  extraFields: {
    userId: { type: 'uuid', index: true },
    ${fields}
    user: { manyToOne: () => User, joinColumn: 'userId' },
  },
}) {}
type /*^*/A = SessionOf<Sessions>;
type /*^*/B = NewSessionOf<Sessions>;
type /*^*/C = SessionChangesOf<Sessions>;
declare const /*^*/sessions: Sessions;
export const /*^*/entity = Sessions./*^*/entity;
export async function calls(): Promise<void> {
  const /*^*/created = await sessions./*^*/create({ /*^*/userId: 'u1' });
  const /*^*/listed = await sessions./*^*/list({ /*^*/userId: 'u1', /*^*/createdAt: MoreThan(new Date()) }, { /*^*/order: { createdAt: 'ASC' } });
  const /*^*/first = listed[0]!;
  first./*^*/userId;
  first./*^*/user;
  first./*^*/scopes;
  first./*^*/revokedReason;
  const /*^*/query = sessions./*^*/query({}).filter({}).order({});
  const /*^*/got = await sessions./*^*/get({});
  sessions./*^*/events;
  await sessions./*^*/update(first, {});
  await sessions./*^*/signIn({ userId: 'u1' });
  await sessions./*^*/revoke(first, { reason: 'fraud' });
  await sessions./*^*/rotate(first);
}
`;

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `field${i}`);

describe('an editor shows what is of a table in at most a dozen lines', () => {
  it.each([
    ['no further fields', ''],
    [
      'six',
      names(6)
        .map((name) => `${name}: { type: 'string', nullable: true },`)
        .join('\n'),
    ],
    [
      'thirty',
      names(30)
        .map((name) => `${name}: { type: 'enum', values: ['low', 'high'], default: 'low' },`)
        .join('\n'),
    ],
  ])('with %s', (_, fields) => {
    editor.open(table(fields));
    expect(editor.errors()).toEqual([]);
    const hovers = editor.hovers();
    expect(hovers).toHaveLength(28);
    expect(hovers.filter(([, shown]) => shown === '' || linesOf(shown) > 12)).toEqual([]);
  });

  it('the names and values of the fields', () => {
    editor.open(table("note: { type: 'string', nullable: true }, count: { type: 'int' },"));
    const shown = Object.fromEntries(editor.hovers());
    const fields =
      'Field<"userId", string, never> | Field<"note", string | null, "optional"> | Field<"count", number, never>';
    expect(shown['A']).toContain(`ColumnValues<${fields}`);
    expect(shown['first']).toContain(`const first: Session<TableFields<${fields}`);
  });
});

const tableWith = (definition: string): string =>
  `import { SessionsTable } from '@app/sessions';\nexport class Sessions extends SessionsTable({ ${definition} }) {}`;

describe('what does not fit the rest of its field is one compile error, on its key, which says what does', () => {
  it.each([
    ['default', "extraFields: { role: { type: 'enum', values: ['a', 'b'], default: 'c' } }", 'values: "a" | "b"'],
    ['default', "extraFields: { visits: { type: 'int', default: '5' } }", 'values: number'],
    [
      'joinColumn',
      "extraFields: { userId: { type: 'uuid' }, user: { manyToOne: () => Date, joinColumn: 'user' } }",
      'fields: "userId"',
    ],
    [
      'userId',
      "extraFields: { owner: { type: 'string' } }, sessionLimits: { userId: { max: 5 } }",
      "'userId' does not exist in type '{ readonly owner?",
    ],
    ['userId', 'sessionLimits: { userId: { max: 5 } }', 'a field of extraFields, which has none'],
    ['owner', "owner: 'userId'", 'a field of extraFields, which has none'],
    ['owner', "extraFields: { userId: { type: 'uuid' } }, owner: 'user'", '"userId"'],
    [
      'joinColumn',
      "extraFields: { user: { manyToOne: () => Date, joinColumn: 'userId' } }",
      'fields: "a field of extraFields, which has none"',
    ],
    ['interval', "lastUse: { interval: 'soon' }", 'Duration'],
  ])('%s of { %s }', (key, definition, message) => {
    editor.open(tableWith(definition));
    const errors = editor.errors();
    expect(errors).toHaveLength(1);
    expect(errors[0]![0]).toBe(key);
    expect(errors[0]![1]).toContain(message);
  });
});

describe('a misspelt option is a compile error on its key', () => {
  it.each([
    ['lenght', "extraFields: { name: { type: 'string', lenght: 40 } }", '"lenght" is no option of a field'],
    [
      'uniqe',
      "extraFields: { name: { type: 'string', default: 'x', uniqe: true } }",
      '"uniqe" is no option of a field',
    ],
    [
      'onDelte',
      "extraFields: { userId: { type: 'uuid' }, user: { manyToOne: () => Date, joinColumn: 'userId', onDelte: 'CASCADE' } }",
      '"onDelte" is no option of a relation',
    ],
    ['resons', "revocation: { reasons: ['fraud'], resons: ['fraud'] }", '"resons" is no option of revocation'],
    ['useragent', 'lastUse: { ip: true, useragent: true }', '"useragent" is no option of lastUse'],
    ['tpye', "extraFields: { name: { tpye: 'string' } }", "'tpye' does not exist"],
    ['rotaton', 'rotaton: true', "'rotaton' does not exist"],
    ['intervall', "pruning: { intervall: '1h' }", "'intervall' does not exist"],
  ])('%s', (key, definition, message) => {
    editor.open(tableWith(definition));
    const errors = editor.errors();
    expect(errors).toHaveLength(1);
    expect(errors[0]![0]).toBe(key);
    expect(errors[0]![1].replaceAll('\\"', '"')).toContain(message);
  });

  it('also in a definition without a class', () => {
    editor.open(
      "import { SessionsModule } from '@app/sessions';\nSessionsModule.forFeature({ extraFields: { name: { type: 'string', lenght: 40 } } });",
    );
    expect(editor.errors().map(([underlined]) => underlined)).toEqual(['lenght']);
  });
});
