import type { INestApplication } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { SessionsTable } from '@app/sessions';
import { ApiSession, createSessionsDocument } from '@app/sessions/swagger';
import type { Equal, Expect } from './expect-type.js';

class Sessions extends SessionsTable({}) {}

// A route is guarded by classes, definitions and names of tables, as many as there are, or by the default one.
ApiSession();
ApiSession(Sessions, { table: 'api_keys' }, 'robots');
// @ts-expect-error -- a class that is no table
ApiSession(Date);

export type Made = Expect<Equal<ReturnType<typeof createSessionsDocument>, OpenAPIObject>>;
export const withoutTitle = (app: INestApplication): OpenAPIObject =>
  // @ts-expect-error -- a document has a title and a version
  createSessionsDocument(app, { openapi: '3.0.0' });
