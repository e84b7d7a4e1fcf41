import type { ApiResponseSchemaHost, SchemaObject } from '@nestjs/swagger';
import type { SessionsErrorCode } from '@app/sessions';
import { KEY_SCOPES } from '../projects/api-keys.js';

const text: SchemaObject = { type: 'string' };
const uuid: SchemaObject = { type: 'string', format: 'uuid' };
const time: SchemaObject = { type: 'string', format: 'date-time' };
const count: SchemaObject = { type: 'integer', minimum: 0 };
const yesOrNo: SchemaObject = { type: 'boolean' };

const orNull = (schema: SchemaObject): SchemaObject => ({ ...schema, nullable: true });

/** An object with all of these properties. */
function object(properties: Readonly<Record<string, SchemaObject>>): SchemaObject {
  return { type: 'object', required: Object.keys(properties), properties };
}

export const listOf = (items: SchemaObject): SchemaObject => ({ type: 'array', items });

const STATUS = {
  status: { type: 'string', enum: ['valid', 'expired', 'revoked'] },
  reason: { ...orNull(text), description: 'Why it was revoked' },
};

/** The body of the demo's own errors. */
const PROBLEM = object({
  statusCode: { type: 'integer' },
  error: text,
  message: { anyOf: [text, listOf(text)] },
});

/** An error response, for Nest's response decorators. */
export const problem = (description: string): ApiResponseSchemaHost => ({ description, schema: PROBLEM });

/** An error response of the library, whose body `createSessionsDocument` describes. */
export const sessionsError = (
  description: string,
  code: SessionsErrorCode | 'ERR_SESSION_REFUSALS',
): ApiResponseSchemaHost => ({
  description,
  schema: {
    allOf: [
      { $ref: '#/components/schemas/SessionRefusal' },
      { type: 'object', properties: { errorCode: { type: 'string', enum: [code] } } },
    ],
  },
});

export const INVALID_BODY = problem('The problem of each field.');

/** For calls that still need the request's session after the guard. */
export const SESSION_ENDED = sessionsError('The session has ended in the meantime.', 'ERR_SESSION_STALE');

/** For routes that count guesses. The guard counts those at tokens. */
export const TOO_MANY_GUESSES = {
  ...sessionsError('Too many guesses. `Retry-After` says when to try again.', 'ERR_SESSION_REFUSALS'),
  headers: { 'Retry-After': { description: 'Seconds', schema: count } },
};

export const SENT = object({ message: text });

export const LOGIN = object({
  token: { ...text, description: 'Shown only once: the database has only its digest' },
  expiresAt: orNull(time),
});

export const ROTATED = object({ token: { ...orNull(text), description: 'Null if another request got it' } });

export const SESSION = object({
  id: uuid,
  isCurrent: yesOrNo,
  ...STATUS,
  device: { ...orNull(text), description: 'The User-Agent of the login' },
  createdAt: time,
  expiresAt: orNull(time),
  lastUse: orNull(object({ at: time, ip: orNull(text), userAgent: orNull(text) })),
});

export const ME = object({ id: uuid, email: text, session: SESSION });

export const SIGNED_OUT = object({ signedOut: { ...count, description: 'Sessions that were ended' } });

export const STATISTICS = object({ total: count, valid: count, expired: count, revoked: count });

export const ACTIVITY = object({ at: time, type: text, reason: orNull(text), sessionId: uuid });

export const PROJECT = object({ id: uuid, name: text });

const SCOPES = listOf({ type: 'string', enum: [...KEY_SCOPES] });

const KEY_PROPERTIES = {
  id: uuid,
  name: text,
  scopes: SCOPES,
  ...STATUS,
  createdAt: time,
  lastUsedAt: orNull(time),
};

export const KEY = object(KEY_PROPERTIES);

export const NEW_KEY = object({
  ...KEY_PROPERTIES,
  key: { ...text, description: 'Shown only once: the database has only its digest' },
});

export const PROJECT_OF_KEY = object({
  id: uuid,
  name: text,
  key: object({ id: uuid, name: text, scopes: SCOPES }),
});
