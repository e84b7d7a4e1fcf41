import {
  hasScopes,
  type NewSessionOf,
  RequireFresh,
  RequireScopes,
  type ScopeOf,
  type SessionChangesOf,
  type SessionOf,
  SessionsTable,
} from '@app/sessions';
import type { Equal, Expect } from './expect-type.js';

class ApiKeys extends SessionsTable({
  table: 'api_keys',
  scopes: ['posts:read', 'posts:write', 'posts:comments:write', 'users'],
  revocation: { reasons: ['fraud'] },
  extraFields: { userId: { type: 'string' } },
  sessionLimits: { userId: { max: 3, whenFull: 'reject' } },
}) {}

class Plain extends SessionsTable({ table: 'plain' }) {}

class Revoked extends SessionsTable({ table: 'revoked', revocation: true }) {}

type LibraryReason =
  | 'signed_out'
  | 'superseded'
  | 'session_limit'
  | 'token_reuse'
  | 'credentials_changed'
  | 'compromised'
  | 'administrative';
type Grant = '*' | 'posts:*' | 'posts:comments:*' | 'posts:read' | 'posts:write' | 'posts:comments:write' | 'users';

// ScopeOf: what a session can be given, wildcards that cover something included.
export type KeyScopes = Expect<Equal<ScopeOf<ApiKeys>, Grant>>;
export type PlainScopes = Expect<Equal<ScopeOf<Plain>, never>>;
export type NoScopes = Expect<Equal<ScopeOf<object>, never>>;

// A session has them, always; and the reasons of its table.
export type KeyHasScopes = Expect<Equal<SessionOf<ApiKeys>['scopes'][number], Grant>>;
export type KeyReason = Expect<Equal<SessionOf<ApiKeys>['revokedReason'], LibraryReason | 'fraud' | null>>;
export type OtherScopes = Expect<Equal<'scopes' extends keyof SessionOf<Plain> ? true : false, false>>;
export type OtherReason = Expect<Equal<SessionOf<Revoked>['revokedReason'], string | null>>;

export const created: NewSessionOf<ApiKeys>[] = [
  { userId: 'u1' },
  { userId: 'u1', scopes: [] },
  { userId: 'u1', scopes: ['posts:read', 'posts:*', 'posts:comments:*', '*'] },
  // @ts-expect-error no scope of the table
  { userId: 'u1', scopes: ['posts:rea'] },
  // @ts-expect-error a wildcard that covers none
  { userId: 'u1', scopes: ['post:*'] },
  // @ts-expect-error a scope that has nothing below it
  { userId: 'u1', scopes: ['users:*'] },
  // @ts-expect-error null is no list
  { userId: 'u1', scopes: null },
  // @ts-expect-error set by revoke
  { userId: 'u1', revokedReason: 'fraud' },
];

export const changes: SessionChangesOf<ApiKeys>[] = [
  {},
  { scopes: ['posts:read'] },
  // @ts-expect-error no scope of the table
  { scopes: ['posts:rea'] },
  // @ts-expect-error set by revoke
  { revokedReason: 'fraud' },
];

// @ts-expect-error a table without scopes
export const unscoped: NewSessionOf<Plain> = { scopes: [] };

SessionsTable({
  extraFields: { userId: { type: 'string' } },
  sessionLimits: {
    // @ts-expect-error no field of the table
    userI: { max: 3 },
  },
});
SessionsTable({
  extraFields: { userId: { type: 'string' } },
  // @ts-expect-error no such policy
  sessionLimits: { userId: { max: 3, whenFull: 'endAll' } },
});

// A decorator of a table knows its scopes, and that a wildcard is granted, not required.
const RequireKeyScopes = RequireScopes<ScopeOf<ApiKeys>>;

export const decorators: (MethodDecorator & ClassDecorator)[] = [
  RequireKeyScopes('posts:read'),
  RequireKeyScopes('posts:read', 'posts:comments:write', 'users'),
  // @ts-expect-error no scope of the table
  RequireKeyScopes('posts:wirte'),
  // @ts-expect-error no scope of the table, although the first is
  RequireKeyScopes('posts:read', 'posts:wirte'),
  // @ts-expect-error a wildcard
  RequireKeyScopes('posts:*'),
  // @ts-expect-error a wildcard
  RequireKeyScopes('*'),
  // @ts-expect-error one at least
  RequireKeyScopes(),
  RequireScopes('anything', 'at:all'),
  // @ts-expect-error one at least
  RequireScopes(),
  RequireFresh('10m'),
  RequireFresh(600),
  // @ts-expect-error no duration
  RequireFresh('soon'),
  // @ts-expect-error a duration is needed
  RequireFresh(),
];

declare const key: SessionOf<ApiKeys>;
hasScopes(key.scopes, 'posts:read') satisfies boolean;
hasScopes(['posts:*'], 'posts:read', 'posts:write') satisfies boolean;
