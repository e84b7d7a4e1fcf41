import {
  type BaseSession,
  type NewSessionOf,
  type SessionOf,
  type SessionsService,
  SessionsTable,
} from '@app/sessions';
import { MoreThan } from 'typeorm';
import type { Equal, Expect } from './expect-type.js';

class Bare extends SessionsTable({}) {}
class Full extends SessionsTable({
  table: 'full',
  revocation: true,
  rotation: true,
  freshness: true,
  ownLimits: true,
  lastUse: { ip: true, userAgent: true },
  scopes: ['read'],
}) {}
class Used extends SessionsTable({ table: 'used', lastUse: true }) {}
class Located extends SessionsTable({ table: 'located', lastUse: { interval: '1m', ip: true } }) {}
class Unused extends SessionsTable({ table: 'unused', lastUse: false, rotation: false, revocation: false }) {}
declare const perhaps: boolean;
class Perhaps extends SessionsTable({ table: 'perhaps', rotation: perhaps }) {}

type Common = 'id' | 'data' | 'expiresAt' | 'isExpired' | 'createdAt' | 'updatedAt';
type Nullable<T> = { [K in keyof T]-?: undefined extends T[K] ? K : never }[keyof T];

// A session has the columns of its table and no others …
export type Columns = [
  Expect<Equal<keyof SessionOf<Bare>, Common>>,
  Expect<Equal<keyof SessionOf<Unused>, Common>>,
  Expect<Equal<keyof SessionOf<Used>, Common | 'lastUsedAt'>>,
  Expect<Equal<keyof SessionOf<Located>, Common | 'lastUsedAt' | 'lastUsedIp'>>,
  Expect<Equal<keyof SessionOf<Full>, keyof BaseSession>>,
  // … whose values are never undefined, where the definition tells that they are there.
  Expect<Equal<Nullable<SessionOf<Full>>, never>>,
  Expect<Equal<SessionOf<Full>['revokedAt'], Date | null>>,
  Expect<Equal<SessionOf<Full>['idleTtl'], number | null>>,
  Expect<Equal<SessionOf<Perhaps>['rotatedAt'], Date | null | undefined>>,
  // What `create` takes, neither.
  Expect<Equal<keyof NewSessionOf<Full>, 'data' | 'expiresAt' | 'scopes'>>,
  Expect<Equal<keyof NewSessionOf<Bare>, 'data' | 'expiresAt'>>,
];

export async function calls(bare: Bare, full: Full, used: Used, date: Date): Promise<void> {
  await full.list({ revokedAt: null, rotatedAt: MoreThan(date) }, { order: { lastUsedAt: 'DESC', idleTtl: 'ASC' } });
  await used.list({ lastUsedAt: MoreThan(date) }, { order: { lastUsedAt: 'DESC' } });
  // @ts-expect-error a column of other tables
  await bare.list({ revokedAt: null });
  // @ts-expect-error a column of other tables
  await bare.list({ scopes: null });
  // @ts-expect-error a column of other tables
  await used.list({ lastUsedIp: '127.0.0.1' });
  // @ts-expect-error a column of other tables
  await bare.list({}, { order: { lastUsedAt: 'DESC' } });
  // @ts-expect-error a column of other tables
  bare.query().order({ rotatedAt: 'DESC' });
  // @ts-expect-error a column of other tables
  bare.query().filterBy('authenticatedAt', date);
  // @ts-expect-error no column
  await full.list({}, { order: { isExpired: 'ASC' } });
}

// A table with more columns does for one with fewer, and any is a service.
export const fewer = (full: Full, used: Used): [SessionsService<Bare['fields']>, SessionsService] => [full, used];
// @ts-expect-error a table with fewer columns
export const more = (bare: Bare): SessionsService<Used['fields']> => bare;
