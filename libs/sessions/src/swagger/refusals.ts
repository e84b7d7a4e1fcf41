import type { ContentObject, MediaTypeObject, ReferenceObject, ResponseObject, SchemaObject } from '@nestjs/swagger';
import { isUnsafe } from '../http/request-origin.js';
import type { GuardedRoute } from './guarded-route.js';

/** Why the guard answers instead of the route. */
interface Refusal {
  readonly status: 400 | 401 | 403 | 503;
  readonly errorCode: string;
  readonly when: string;
}

const JSON_TYPE = 'application/json';
/** The name of the schema of such a body. Documents of applications refer to it, too. */
const SCHEMA = 'SessionRefusal';

/** The body of every refusal, and of every error with a status that a call throws. */
export const REFUSAL_SCHEMA: Readonly<Record<string, SchemaObject>> = {
  [SCHEMA]: {
    type: 'object',
    required: ['statusCode', 'error', 'message', 'errorCode'],
    properties: {
      statusCode: { type: 'integer', description: "The response's status" },
      error: { type: 'string', description: 'The name of the status' },
      message: { type: 'string', description: 'For people who read logs' },
      errorCode: { type: 'string', description: 'For programs; it does not change' },
      errors: {
        type: 'object',
        additionalProperties: { type: 'string' },
        description: 'The problem with each field, by its name, where the code is of fields',
      },
    },
  },
};

/** The responses of the guard instead of the route, by status. */
export function refusalsOf(route: GuardedRoute): Map<number, ResponseObject> {
  const refusals = reasonsOf(route);
  const statuses = [...new Set(refusals.map(({ status }) => status))];
  return new Map(statuses.map((status) => [status, responseOf(refusals.filter((one) => one.status === status))]));
}

function reasonsOf({ method, tables, optional, scopes, maxAgeMs }: GuardedRoute): Refusal[] {
  const refusals: Refusal[] = [
    { status: 400, errorCode: 'ERR_SESSION_AMBIGUOUS', when: 'more than one token' },
    { status: 401, errorCode: 'ERR_SESSION_TOKEN_INVALID', when: 'a malformed, unknown, expired or logged-out token' },
    { status: 503, errorCode: 'ERR_SESSION_UNAVAILABLE', when: 'a token, but the database does not answer' },
  ];
  if (!optional) refusals.push({ status: 401, errorCode: 'ERR_SESSION_REQUIRED', when: 'no credentials' });
  if (maxAgeMs !== Infinity) {
    const when = `a good token, but nobody has signed in with it within the last ${Math.floor(maxAgeMs / 1000)} seconds`;
    refusals.push({ status: 401, errorCode: 'ERR_SESSION_NOT_FRESH', when });
  }
  if (scopes.length > 0) {
    const when = `a good token without ${scopes.map((scope) => `\`${scope}\``).join(', ')}`;
    refusals.push({ status: 403, errorCode: 'ERR_SESSION_SCOPE', when });
  }
  const takesCookie = tables.some(({ options }) => options.cookie !== undefined);
  if (takesCookie && isUnsafe({ method: method.toUpperCase(), headers: {} })) {
    const when = 'a cookie, and may come from the page of another site';
    refusals.push({ status: 403, errorCode: 'ERR_SESSION_CROSS_ORIGIN', when });
  }
  return refusals;
}

function responseOf(refusals: readonly Refusal[]): ResponseObject {
  const errorCode: SchemaObject = { type: 'string', enum: refusals.map((refusal) => refusal.errorCode) };
  const schema: SchemaObject = {
    allOf: [{ $ref: `#/components/schemas/${SCHEMA}` }, { type: 'object', properties: { errorCode } }],
  };
  const isChallenge = refusals.some(
    ({ status, errorCode: code }) => status !== 503 && code !== 'ERR_SESSION_CROSS_ORIGIN',
  );
  return {
    description: `The request has ${refusals.map(({ errorCode: code, when }) => `${when} (\`${code}\`)`).join('; or ')}.`,
    ...(isChallenge && { headers: CHALLENGE }),
    content: { [JSON_TYPE]: { schema } },
  };
}

const CHALLENGE = {
  'WWW-Authenticate': { description: 'The challenge of RFC 6750 or RFC 9470', schema: { type: 'string' } },
} as const;

/**
 * A response of the route itself, if it has one with that status, or of the guard. If the route does not describe its
 * body, neither can the combination.
 */
export function eitherResponse(
  own: ResponseObject | ReferenceObject | undefined,
  refusal: ResponseObject,
): ResponseObject | ReferenceObject {
  if (own === undefined) return refusal;
  if ('$ref' in own) return own;
  const description = [own.description, refusal.description].filter((text) => text !== '').join('\n\n');
  return {
    ...own,
    description,
    headers: { ...refusal.headers, ...own.headers },
    ...(own.content && { content: { ...own.content, ...eitherBody(own.content[JSON_TYPE], refusal) } }),
  };
}

function eitherBody(own: MediaTypeObject | undefined, { content }: ResponseObject): ContentObject {
  const theirs = content![JSON_TYPE]!;
  return { [JSON_TYPE]: own?.schema ? { ...own, schema: { anyOf: [own.schema, theirs.schema!] } } : (own ?? theirs) };
}
