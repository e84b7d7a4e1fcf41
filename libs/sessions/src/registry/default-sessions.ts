import type { SessionsStore } from '../lifecycle/sessions-store.js';
import { SessionsService } from '../service/sessions.service.js';
import type { SessionsRegistry } from './sessions.registry.js';

/** The default table's service, known by the time it is used: which table that is shows only when all are registered. */
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
