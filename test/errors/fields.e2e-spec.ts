import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  MemoryAdapter,
  type SessionOf,
  type SessionReference,
  SessionsTable,
  SessionValidationError,
  TypeOrmAdapter,
  type UniqueConstraintError,
} from '@app/sessions';
import { useApplication } from '../support/application.js';
import { digestOf } from '../support/digest.js';

class Accounts extends SessionsTable({
  table: 'accounts',
  extraFields: { userId: { type: 'string', length: 5 }, email: { type: 'string', nullable: true, unique: true } },
  ownLimits: true,
  lastUse: { ip: true },
  revocation: true,
  rotation: true,
  freshness: true,
  scopes: ['posts:read'],
}) {}

const DAY_MS = 86_400_000;

/** What an application may give as a name: its own fields, those of the library, and what there is not. */
const NAMES = [
  'userId',
  'email',
  'id',
  'data',
  'scopes',
  'expiresAt',
  'updatedAt',
  'revokedAt',
  'status',
  'authToken',
  'authTokenDigest',
  'previousTokenDigest',
  'fixedEnd',
  'nothing',
];

const value = fc.oneof(
  fc.constantFrom<unknown>(null, undefined, 0, -1, NaN, '', 'a', '\0', 'too long', true, 5n, Symbol('s')),
  fc.constantFrom<unknown>([], {}, ['a'], new Date(NaN), new Date(8e15), new Date(0), () => 1),
);
/** As JavaScript gives them, which no compiler has seen. */
const given = fc.dictionary(fc.constantFrom(...NAMES), value, { maxKeys: 4 }) as fc.Arbitrary<never>;

type Call = (sessions: Accounts, session: SessionOf<Accounts>, given: never) => Promise<unknown>;

/** A session as it was read, or as somebody has put it together. */
const merged = (reference: SessionReference, changes: object): SessionOf<Accounts> =>
  ({ ...reference, ...changes }) as SessionOf<Accounts>;

const CALLS: Readonly<Record<string, Call>> = {
  create: (sessions, _, attributes) => sessions.create(attributes),
  'create with options': (sessions, _, options) => sessions.create({ userId: 'a' }, options),
  signIn: (sessions, _, options) => sessions.signIn({ userId: 'a' }, options),
  update: (sessions, session, changes) => sessions.update(session, changes),
  'update of something': (sessions, { id }, changes) => sessions.update(merged({ id }, changes), { userId: 'b' }),
  'update if unchanged': (sessions, { id }, changes) =>
    sessions.update(merged({ id }, changes), { userId: 'b' }, { ifUnchanged: true }),
  patchData: (sessions, session, changes) => sessions.patchData(session, changes),
  refresh: (sessions, { id }, changes) => sessions.refresh(merged({ id }, changes)),
  rotate: (sessions, { id }, changes) => sessions.rotate(merged({ id }, changes)),
  reauthenticate: (sessions, { id }, changes) => sessions.reauthenticate(merged({ id }, changes)),
  expire: (sessions, { id }, changes) => sessions.expire(merged({ id }, changes)),
  revoke: (sessions, { id }, changes) => sessions.revoke(merged({ id }, changes)),
  delete: (sessions, { id }, changes) => sessions.delete(merged({ id }, changes)),
  dataOf: (sessions, { id }, changes) => sessions.dataOf(merged({ id }, changes)),
  list: (sessions, _, filters) => sessions.list(filters),
  get: (sessions, _, filters) => sessions.get(filters),
  count: (sessions, _, filters) => sessions.count(filters),
  order: (sessions, _, order) => sessions.list({}, { order }),
  takeOnce: (sessions, _, filters) => sessions.takeOnce(filters),
  revokeAll: (sessions, _, filters) => sessions.revokeAll(filters),
  revokeOthers: (sessions, session, filters) => sessions.revokeOthers(session, filters),
  deleteAll: (sessions, _, filters) => sessions.deleteAll(filters),
};

/** The parts of a session by which a call finds it, and what is said of filters and options as a whole. */
const OF_CALLS = ['id', 'expiresAt', 'updatedAt', 'filters', 'options', 'userId', 'provedAt', 'data'];

describe.each(['memory', 'sqlite'] as const)('the errors of a call on %s', (name) => {
  const app = useApplication(name, { tables: [Accounts] });
  let sessions: Accounts;
  let session: SessionOf<Accounts>;
  beforeEach(async () => {
    sessions = app.get(Accounts);
    session = await sessions.create({ userId: 'a', email: 'taken' });
    // So that an extension is due.
    app.clock.advance(2 * DAY_MS);
  });

  it.each(Object.entries(CALLS))('name what the application has named, or may name: %s', async (_, call) => {
    await fc.assert(
      fc.asyncProperty(given, async (names: never) => {
        const error: unknown = await call(sessions, session, names).catch((thrown: unknown) => thrown);
        if (!(error instanceof SessionValidationError)) return;
        const { errors } = error.getResponse() as { errors: Record<string, string> };
        const known = [...Object.keys(names), ...OF_CALLS];
        expect(Object.keys(errors).filter((field) => !known.includes(field.replace(/^data\..*/, 'data')))).toEqual([]);
        expect(Object.values(errors).join(' ')).not.toMatch(/digest|fixedEnd|accounts/i);
      }),
      { numRuns: 60 },
    );
  });

  it('name no digest whose value is taken', async () => {
    const adapter = name === 'memory' ? new MemoryAdapter() : new TypeOrmAdapter(app.dataSource);
    const row = { authTokenDigest: digestOf('x'), userId: 'a', createdAt: new Date(), updatedAt: new Date(), data: {} };
    const insert = (id: string): Promise<unknown> => adapter.insert(Accounts.entity, { ...row, id });
    await insert('018f3c4e-0000-7000-8000-000000000000');
    const error = await insert('018f3c4e-0000-7000-8000-000000000001').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ columns: ['authTokenDigest'], response: { errors: {} } });
    expect(JSON.stringify((error as UniqueConstraintError).getResponse())).not.toMatch(/digest/i);
  });

  it('name a unique field whose value is taken', async () => {
    const error = await sessions.create({ userId: 'b', email: 'taken' }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ columns: ['email'], response: { errors: { email: 'is taken' } } });
  });
});
