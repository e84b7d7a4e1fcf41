import type { SessionsStore } from '../lifecycle/sessions-store.js';
import { SessionsService } from '../service/sessions.service.js';
import type { SessionsRegistry } from './sessions.registry.js';

/**
 * The service of the default table. Which table that is, is known only once all are registered, so it is found on use.
 */
export class DefaultSessions extends SessionsService {
  readonly #registry: SessionsRegistry;

  constructor(registry: SessionsRegistry) {
    super();
    this.#registry = registry;
  }

  protected override get store(): SessionsStore {
    return this.#registry.store();
  }
}
