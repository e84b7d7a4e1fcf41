import type { Request } from 'express';
import { type ListOptions, type SessionOf, SessionsTable } from '@app/sessions';
import type { Equal, Expect } from './expect-type.js';

class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string' } }, lastUse: { ip: true } }) {}

declare const sessions: Sessions;
declare const session: SessionOf<Sessions>;

const marked = await sessions.list({ userId: 'u1' }, { current: session });
const plain = await sessions.list({ userId: 'u1' }, { take: 5 });

declare const options: ListOptions<'id', never>;
const given = await sessions.list({ userId: 'u1' }, options);
export type Given = Expect<Equal<(typeof given)[number]['isCurrent'], boolean>>;

// Only a list that was asked for it says which session is the current one.
export type Marked = Expect<Equal<(typeof marked)[number]['isCurrent'], boolean>>;
export type Plain = Expect<Equal<(typeof plain)[number], SessionOf<Sessions>>>;

export const lists = [
  sessions.list({}, { current: null, take: 5 }),
  sessions.listValid({}, { current: { id: 'id' } }),
  // @ts-expect-error no session
  sessions.list({}, { current: 'id' }),
  // @ts-expect-error no option
  sessions.list({}, { current: session, limit: 5 }),
];

declare const request: Request;
declare const fastifyRequest: import('fastify').FastifyRequest;
export const signIns = [
  sessions.signIn({ userId: 'u1' }, { request }),
  sessions.signIn({ userId: 'u1' }, { request: fastifyRequest }),
  // @ts-expect-error no request
  sessions.signIn({ userId: 'u1' }, { request: {} }),
];
