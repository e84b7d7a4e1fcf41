import type { INestApplication } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { createSessionsDocument } from '@app/sessions/swagger';
import { HEADERS_WITH_STYLES, setPageHeaders } from '../web/page-headers.js';

/** Serves the OpenAPI document: as a page at `/docs`, as JSON at `/docs-json`. */
export function serveDocs(app: INestApplication): void {
  const config = new DocumentBuilder()
    .setTitle('The demo of nest-sessions')
    .setDescription(
      'Sign up, log in, choose Authorize, and enter the token of the response as `sessions.bearer`. Enter the key of a project as `api_keys.bearer`.',
    )
    .setVersion('1')
    .build();
  const { httpAdapter } = app.get(HttpAdapterHost);
  app.use('/docs', (_request: unknown, response: unknown, next: () => void) => {
    setPageHeaders(httpAdapter, response, HEADERS_WITH_STYLES);
    next();
  });
  SwaggerModule.setup('docs', app, () => createSessionsDocument(app, config));
}
