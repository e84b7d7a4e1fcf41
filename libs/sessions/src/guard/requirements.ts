import { ForbiddenException, type HttpException, UnauthorizedException } from '@nestjs/common';
import { SessionsConfigError } from '../errors/errors.js';
import type { RefusalReason } from '../events/session-event.js';
import { hasScopes } from '../session/scopes.js';
import { limitStart } from '../session/lifetime.js';
import type { BaseSession } from '../session/session.js';
import type { ChallengeError, ChallengeParameters } from '../http/challenge.js';
import { scopesLacking, scopeUndeclared, signInTooOld, tablesWithoutScopes } from './messages.js';

/** What a route requires of a session besides validity. */
export interface Requirements {
  /** The required scopes, all of them. */
  readonly scopes: readonly string[];
  /** How long ago, at most, the owner must have proved who they are, in milliseconds. */
  readonly maxAgeMs: number;
  /** Whether the database, not a cache, must say that it is valid. */
  readonly authoritative: boolean;
}

/** A table and the scopes that it declares. */
export interface ScopedTable {
  readonly name: string;
  readonly definition: { readonly scopes?: readonly string[] };
}

/** Why a session is not enough: the reason, the exception, and the challenge. */
export interface Refusal {
  readonly reason: RefusalReason;
  readonly exception: HttpException;
  readonly error: ChallengeError;
  readonly parameters: ChallengeParameters;
}

const REQUIREMENTS = 'nest-sessions:requirements';
const NONE: Requirements = { scopes: [], maxAgeMs: Infinity, authoritative: false };

/** Whether any session is enough. */
export function isUnlimited({ scopes, maxAgeMs }: Requirements): boolean {
  return scopes.length === 0 && maxAgeMs === Infinity;
}

/** A decorator that adds requirements. No decorator on a route removes any. */
export function requires(added: Partial<Requirements>): MethodDecorator & ClassDecorator {
  return (target: object, _key?: string | symbol, descriptor?: { readonly value?: unknown }): void => {
    const decorated = (descriptor?.value as object | undefined) ?? target;
    Reflect.defineMetadata(REQUIREMENTS, both({ ...NONE, ...added }, requirementsOf(decorated)), decorated);
  };
}

/** All requirements of a controller and its handler. */
export function requirementsOf(...decorated: readonly object[]): Requirements {
  return decorated
    .map((target) => (Reflect.getMetadata(REQUIREMENTS, target) as Requirements | undefined) ?? NONE)
    .reduce(both);
}

function both(a: Requirements, b: Requirements): Requirements {
  return {
    scopes: [...new Set([...a.scopes, ...b.scopes])],
    maxAgeMs: Math.min(a.maxAgeMs, b.maxAgeMs),
    authoritative: a.authoritative || b.authoritative,
  };
}

/**
 * Why a session's scopes do not suffice. A wildcard covers only scopes that its own table declares.
 *
 * @param own the tables of the guard that the session may be from
 * @throws SessionsConfigError if no session could have a scope, which is not the client's fault
 * @see RFC 6750, 3.1
 */
export function scopeRefusal(
  needed: readonly string[],
  granted: readonly string[] | undefined,
  own: readonly ScopedTable[],
  tables: readonly ScopedTable[],
): Refusal | undefined {
  if (needed.length === 0) return undefined;
  const undeclared = needed.filter((scope) => !isDeclared(scope, tables));
  if (undeclared.length > 0)
    throw new SessionsConfigError(undeclared.map((scope) => scopeUndeclared(scope, namesOf(tables))));
  if (granted === undefined) throw new SessionsConfigError([tablesWithoutScopes(needed, namesOf(own))]);
  const missing = needed.filter((scope) => !isDeclared(scope, own) || !hasScopes(granted, scope));
  if (missing.length === 0) return undefined;
  return {
    reason: 'insufficient_scope',
    exception: new ForbiddenException(scopesLacking(missing), { errorCode: 'ERR_SESSION_SCOPE' }),
    error: 'insufficient_scope',
    parameters: { scope: needed.join(' ') },
  };
}

/** Why the owner of a session must prove again who they are. @see RFC 9470, 3 */
export function freshnessRefusal(
  maxAgeMs: number,
  session: Pick<BaseSession, 'createdAt' | 'authenticatedAt'>,
  now: Date,
): Refusal | undefined {
  if (now.getTime() - limitStart(session).getTime() <= maxAgeMs) return undefined;
  const seconds = Math.floor(maxAgeMs / 1000);
  return {
    reason: 'not_fresh',
    exception: new UnauthorizedException(signInTooOld(seconds), { errorCode: 'ERR_SESSION_NOT_FRESH' }),
    error: 'insufficient_user_authentication',
    parameters: { max_age: String(seconds) },
  };
}

function isDeclared(scope: string, tables: readonly ScopedTable[]): boolean {
  return tables.some(({ definition }) => definition.scopes?.includes(scope));
}

function namesOf(tables: readonly ScopedTable[]): string[] {
  return tables.map(({ name }) => name);
}
