import type { INestApplication } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { type OpenAPIObject, type SwaggerDocumentOptions, SwaggerModule } from '@nestjs/swagger';
import { configured } from '../errors/known-options.js';
import { registryOf } from '../registry/registry-of.js';
import { guardedRoute } from './guarded-route.js';
import { eitherResponse, REFUSAL_SCHEMA, refusalsOf } from './refusals.js';
import { documentRoutes } from './routes.js';
import { securityOf, securitySchemes } from './security.js';

const OPTIONS = {
  include: true,
  extraModels: true,
  ignoreGlobalPrefix: true,
  deepScanRoutes: true,
  operationIdFactory: true,
  linkNameFactory: true,
  autoTagControllers: true,
  onlyIncludeDecoratedEndpoints: true,
  excludeDynamicDefaults: true,
  exampleMaxDepth: true,
  standardSchemaConverter: true,
} satisfies Record<keyof SwaggerDocumentOptions, true>;

/**
 * Like `SwaggerModule.createDocument`, with what session guards require of each route: the security schemes, the requirements,
 * and the responses of the guard. It reads the guards themselves, global ones too, with `@Public()`, `@OptionalSession()`,
 * `@RequireScopes()` and `@RequireFresh()`, and the places where the tables take their tokens from.
 *
 * @param config of a `DocumentBuilder`; a security scheme that it has by the same name stays as it is
 * @param options those of `SwaggerModule.createDocument`
 * @throws SessionsConfigError for unknown options
 * @example
 * ```ts
 * const config = new DocumentBuilder().setTitle('Accounts').build();
 * SwaggerModule.setup('docs', app, () => createSessionsDocument(app, config));
 * ```
 */
export function createSessionsDocument(
  app: INestApplication,
  config: Omit<OpenAPIObject, 'paths'>,
  options: SwaggerDocumentOptions = {},
): OpenAPIObject {
  configured('createSessionsDocument', options, OPTIONS);
  const { document, routes } = documentRoutes(app, () => SwaggerModule.createDocument(app, config, options));
  const registry = registryOf(app);
  const globalGuards = app.get(ApplicationConfig).getGlobalGuards();
  const guarded = routes.flatMap((route) => guardedRoute(route, globalGuards, registry) ?? []);
  if (guarded.length === 0) return document;

  const rolesAllowed = !document.openapi.startsWith('3.0');
  for (const route of guarded) {
    const { operation } = route;
    operation.security = securityOf(route, rolesAllowed);
    for (const [status, refusal] of refusalsOf(route)) {
      operation.responses[status] = eitherResponse(operation.responses[status], refusal);
    }
  }
  const tables = new Set(guarded.flatMap((route) => route.tables));
  document.components = {
    ...document.components,
    schemas: { ...REFUSAL_SCHEMA, ...document.components?.schemas },
    securitySchemes: Object.assign({}, ...[...tables].map(securitySchemes), document.components?.securitySchemes),
  };
  return document;
}
