import type { ExecutionContext } from '@nestjs/common';
import { type RequestWithSession, type SessionOf, sessionOf, SessionsTable } from '@app/sessions';
import type { Equal, Expect } from './expect-type.js';

class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string' } } }) {}
class Keys extends SessionsTable({ table: 'keys', extraFields: { projectId: { type: 'uuid' } } }) {}

declare global {
  namespace Express {
    // What the types of Express make their requests of; some are in every program that has them.
    interface Request {}
  }
}
export type LeftAlone = Expect<Equal<keyof Express.Request, never>>;

interface OwnRequest extends RequestWithSession<Sessions> {
  readonly url: string;
}

declare const context: ExecutionContext;
declare const request: OwnRequest;

const session = sessionOf<Sessions>(context);
export type OfItsTable = Expect<Equal<typeof session, SessionOf<Sessions> | undefined>>;
export type OnRequest = Expect<Equal<typeof request.session, SessionOf<Sessions> | undefined>>;

// Of any of several tables, as a guard of several finds it.
const either = sessionOf<Sessions | Keys>(request);
export type Either = Expect<Equal<typeof either, SessionOf<Sessions> | SessionOf<Keys> | undefined>>;

// Without a table its fields are unknown.
export const unknown: unknown = sessionOf(request)?.['userId'];

// @ts-expect-error the table has no such field
export const wrong: unknown = session?.projectId;
// @ts-expect-error a text is no request
sessionOf('request');
