import {
  type NewSessionOf,
  type SessionChangesOf,
  type SessionOf,
  SessionsService,
  SessionsTable,
} from '@app/sessions';
import type { ReasonOf } from '../../libs/sessions/src/table/inferred-types.js';
import type { Equal, Expect } from './expect-type.js';

const USER = { userId: { type: 'string' }, teamId: { type: 'string', nullable: true } } as const;

/** Without revocation. */
class Plain extends SessionsTable({ table: 'plain', extraFields: USER }) {}
/** With the reasons of the library. */
class Revocable extends SessionsTable({ table: 'revocable', extraFields: USER, revocation: true }) {}
/** With reasons of its own. */
class Sessions extends SessionsTable({ extraFields: USER, revocation: { reasons: ['fraud', 'device_lost'] } }) {}
/** With a definition that says none. */
class NoReasons extends SessionsTable({ table: 'no_reasons', revocation: { reasons: [] } }) {}

type LibraryReason =
  | 'signed_out'
  | 'superseded'
  | 'session_limit'
  | 'token_reuse'
  | 'credentials_changed'
  | 'compromised'
  | 'administrative';
type OwnReason = LibraryReason | 'fraud' | 'device_lost';
type RevokedFor<S extends { revoke: (...args: never[]) => unknown }> = NonNullable<
  Parameters<S['revoke']>[1]
>['reason'];

// ReasonOf: the library's reasons, and those of the definition.
export type PlainReason = Expect<Equal<RevokedFor<Plain>, LibraryReason | undefined>>;
export type RevocableReason = Expect<Equal<RevokedFor<Revocable>, LibraryReason | undefined>>;
export type SessionsReason = Expect<Equal<RevokedFor<Sessions>, OwnReason | undefined>>;
export type NoReason = Expect<Equal<RevokedFor<NoReasons>, LibraryReason | undefined>>;
export type AnyReason = Expect<Equal<RevokedFor<SessionsService>, string | undefined>>;
export type OfFields = Expect<Equal<ReasonOf<NonNullable<Sessions['fields']>>, OwnReason>>;

// A session tells why it was revoked.
export type SessionReason = Expect<Equal<SessionOf<Sessions>['revokedReason'], OwnReason | null>>;
export type SessionTime = Expect<Equal<SessionOf<Sessions>['revokedAt'], Date | null>>;
export type RevocableSession = Expect<Equal<SessionOf<Revocable>['revokedReason'], string | null>>;

// Nothing but revoke sets it.
export type NewNames = Expect<Equal<keyof NewSessionOf<Sessions>, 'data' | 'expiresAt' | 'userId' | 'teamId'>>;
export type ChangeNames = Expect<Equal<keyof SessionChangesOf<Sessions>, 'data' | 'expiresAt' | 'userId' | 'teamId'>>;

export async function calls(plain: Plain, revocable: Revocable, sessions: Sessions): Promise<void> {
  const session = await sessions.getOrFail({});
  await sessions.revoke(session);
  await sessions.revoke({ id: 'x' }, {});
  await sessions.revoke(session, { reason: 'fraud' });
  await sessions.revoke(session, { reason: 'compromised' });
  await sessions.revokeAll({}, { reason: 'device_lost' });
  await sessions.revokeOthers(session, { userId: 'u1' }, { reason: 'fraud' });
  (await sessions.query({ userId: 'u1' }).revoke({ reason: 'fraud' })) satisfies number;
  (await sessions.revoke(session)) satisfies boolean;
  (await sessions.revokeAll([{ userId: 'u1' }, { teamId: null }])) satisfies number;

  // @ts-expect-error no reason of the table
  await sessions.revoke(session, { reason: 'fruad' });
  // @ts-expect-error no reason of the table
  await sessions.revokeAll({}, { reason: 'stolen' });
  // @ts-expect-error no reason of the table
  await sessions.revokeOthers(session, {}, { reason: 'stolen' });
  // @ts-expect-error no reason of the table
  await sessions.query().revoke({ reason: 'stolen' });
  // @ts-expect-error a query is told why
  await sessions.query().revoke({});
  // @ts-expect-error a reason of another table
  await plain.revoke(session, { reason: 'fraud' });
  // @ts-expect-error a reason of another table
  await revocable.revoke(session, { reason: 'fraud' });
  // @ts-expect-error no option
  await sessions.revoke(session, { why: 'fraud' });
  // @ts-expect-error filters have to be given, so that nothing is ended by mistake
  await sessions.revokeAll();
  // @ts-expect-error as they have for others
  await sessions.revokeOthers(session);
  // @ts-expect-error no field
  await sessions.revokeAll({ user: 'u1' });
  // @ts-expect-error a session, or its id
  await sessions.revoke('x');

  // @ts-expect-error set by revoke
  await sessions.create({ userId: 'u1', revokedReason: 'fraud' });
  // @ts-expect-error set by revoke
  await sessions.create({ userId: 'u1', revokedAt: new Date() });
  // @ts-expect-error set by revoke
  await sessions.update(session, { revokedReason: 'fraud' });
  // @ts-expect-error set by revoke, and never taken back
  await sessions.update(session, { revokedAt: null });
  // @ts-expect-error set by revoke, and never taken back
  session.revokedAt = null;

  await sessions.list({ status: 'revoked', revokedReason: 'fraud' });
  // @ts-expect-error no reason of the table
  await sessions.list({ status: 'revoked', revokedReason: 'stolen' });
}

// Limits of concurrent sessions are for fields of the table.
SessionsTable({ extraFields: USER, sessionLimits: { userId: { max: 3 }, teamId: { max: 100, whenFull: 'reject' } } });
SessionsTable({
  extraFields: USER,
  // @ts-expect-error no field
  sessionLimits: { user: { max: 3 } },
});
SessionsTable({
  extraFields: USER,
  // @ts-expect-error no maximum
  sessionLimits: { userId: {} },
});
// @ts-expect-error a table without fields of its own
SessionsTable({ sessionLimits: { userId: { max: 3 } } });

// The owner is a field of the table, and a proof has a time.
class Owned extends SessionsTable({ extraFields: USER, owner: 'userId' }) {}
// @ts-expect-error no field
SessionsTable({ extraFields: USER, owner: 'user' });
// @ts-expect-error a table without fields of its own
SessionsTable({ owner: 'userId' });
declare const owned: Owned;
await owned.signIn({ userId: 'ann', teamId: 'a' }, { provedAt: new Date() });
// @ts-expect-error no Date
await owned.signIn({ userId: 'ann', teamId: 'a' }, { provedAt: Date.now() });

// Reasons are text, whatever else a definition says.
SessionsTable({ revocation: false });
// @ts-expect-error no list
SessionsTable({ revocation: { reasons: 'fraud' } });
// @ts-expect-error no text
SessionsTable({ revocation: { reasons: [5] } });
// @ts-expect-error no option
SessionsTable({ revocation: { reason: ['fraud'] } });
