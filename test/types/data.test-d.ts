import {
  type BaseSession,
  CurrentSession,
  JsonPath,
  type NewSessionOf,
  type SessionChangesOf,
  type SessionOf,
  SessionsTable,
} from '@app/sessions';
import type { Equal, Expect } from './expect-type.js';

const USER = { userId: { type: 'string' } } as const;

class Sessions extends SessionsTable({ extraFields: USER }) {}
class Loaded extends SessionsTable({ table: 'loaded', extraFields: USER, data: 'withSession' }) {}
class Large extends SessionsTable({
  table: 'large',
  extraFields: USER,
  data: 'onDemand',
  scopes: ['read'],
  revocation: { reasons: ['fraud'] },
}) {}
class Bare extends SessionsTable({ table: 'bare', data: 'onDemand' }) {}

// A session has its data, unless its table says that they are loaded on demand.
export type WithData = Expect<Equal<SessionOf<Sessions>['data'], Record<string, unknown>>>;
export type SaidSo = Expect<Equal<SessionOf<Loaded>, SessionOf<Sessions>>>;
export type WithoutData = Expect<
  Equal<Exclude<keyof SessionOf<Sessions> | 'scopes' | 'revokedAt' | 'revokedReason', 'data'>, keyof SessionOf<Large>>
>;
export type BareWithoutData = Expect<Equal<'data' extends keyof SessionOf<Bare> ? true : false, false>>;

// They are given as everywhere else.
export type NewNames = Expect<Equal<keyof NewSessionOf<Large>, 'data' | 'expiresAt' | 'userId' | 'scopes'>>;
export type NewData = Expect<Equal<NewSessionOf<Large>['data'], Record<string, unknown> | undefined>>;
export type ChangeNames = Expect<Equal<keyof SessionChangesOf<Large>, 'data' | 'expiresAt' | 'userId' | 'scopes'>>;

export async function largeSessions(large: Large, sessions: Sessions): Promise<BaseSession> {
  const session = await large.create({ userId: 'u1', data: { device: 'phone' } });
  // @ts-expect-error loaded on demand
  console.log(session.data);
  const data: Record<string, unknown> = await large.dataOf(session);
  console.log(data, await sessions.dataOf(await sessions.create({ userId: 'u1' })));
  const [found] = await large.list({ data: JsonPath(['device'], 'phone'), userId: 'u1' });
  await large.refresh(await large.update(found!, { data: {} }));
  // @ts-expect-error no relation
  await large.get({ userId: 'u1' }, { relations: ['data'] });
  return session;
}

export class Controller {
  whoami(@CurrentSession() session: SessionOf<Large>): string {
    return session.userId;
  }
}

SessionsTable({
  // @ts-expect-error no such time
  data: 'never',
});
