import type { INestApplicationContext } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { noRegistry } from './one-set-up.js';
import { SessionsRegistry } from './sessions.registry.js';

/** The tables of an application. @throws SessionsConfigError if it has none of this copy of the package */
export function registryOf(app: Pick<INestApplicationContext, 'get'>): SessionsRegistry {
  try {
    return app.get(SessionsRegistry, { strict: false });
  } catch {
    throw noRegistry(app.get(ModulesContainer));
  }
}
