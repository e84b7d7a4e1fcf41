import type { ApiResponseSchemaHost, SchemaObject } from '@nestjs/swagger';
import type { SessionsErrorCode } from '@app/sessions';
import { KEY_SCOPES } from '../projects/api-keys.js';

const text: SchemaObject = { type: 'string' };
const uuid: SchemaObject = { type: 'string', format: 'uuid' };
const time: SchemaObject = { type: 'string', format: 'date-time' };
const count: SchemaObject = { type: 'integer', minimum: 0 };
const yesOrNo: SchemaObject = { type: 'boolean' };

const orNull = (schema: SchemaObject): SchemaObject => ({ ...schema, nullable: true });

/** An object that has all of these. */
function object(properties: Readonly<Record<string, SchemaObject>>): SchemaObject {
  return { type: 'object', required: Object.keys(properties), properties };
}

export const listOf = (items: SchemaObject): SchemaObject => ({ type: 'array', items });

const STATUS = {
  status: { type: 'string', enum: ['valid', 'expired', 'revoked'] },
  reason: { ...orNull(text), description: 'Why it was revoked' },
};

/** The body of answers that are errors of the demo's own. */
const PROBLEM = object({
  statusCode: { type: 'integer' },
  error: text,
  message: { anyOf: [text, listOf(text)] },
});

/** An answer that is an error, for Nest's decorators of responses. */
export const problem = (description: string): ApiResponseSchemaHost => ({ description, schema: PROBLEM });

/** An answer that is an error of the library, whose body `createSessionsDocument` describes. */
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

export const INVALID_BODY = problem('What does not fit, by field.');

/** Of what needs the session that the request came with, after the guard. */
export const SESSION_ENDED = sessionsError('The session has ended meanwhile.', 'ERR_SESSION_STALE');

/** Of what counts guesses; the guard counts those about tokens. */
export const TOO_MANY_GUESSES = {
  ...sessionsError('There were too many guesses; `Retry-After` says when to come again.', 'ERR_SESSION_REFUSALS'),
  headers: { 'Retry-After': { description: 'Seconds', schema: count } },
};

export const SENT = object({ message: text });

export const LOGIN = object({
  token: { ...text, description: 'Shown this once: the database has only its digest' },
  expiresAt: orNull(time),
});

export const ROTATED = object({ token: { ...orNull(text), description: 'Null where another request got it' } });

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
  key: { ...text, description: 'Shown this once: the database has only its digest' },
});

export const PROJECT_OF_KEY = object({
  id: uuid,
  name: text,
  key: object({ id: uuid, name: text, scopes: SCOPES }),
});
