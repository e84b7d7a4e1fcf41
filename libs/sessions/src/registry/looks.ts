import type { LoggerService } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { SessionMark } from '../adapters/port/session-mark.js';
import type { Schema } from '../adapters/port/query.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { DatabaseFacts } from '../adapters/port/table-facts.js';
import { reasonOf } from '../errors/reason-of.js';
import { ofDataSource } from '../errors/messages.js';
import { SessionsService } from '../service/sessions.service.js';
import { checkServer } from '../table/checks/check-table.js';
import { inWords } from '../table/checks/finding.js';
import { inTime } from '../util/in-time.js';
import { noLookWithin, notLookedAt } from './messages.js';
import type { AnySessionsTable } from './sessions-table.js';

/** How long the start waits for what the database says of its tables, in milliseconds. */
export const LOOK_MS = 2000;

/** What the databases say of an application's tables. One query serves all tables of a data source. */
export class Looks {
  readonly #looks = new Map<
    object,
    { readonly at: ReadonlySet<Schema>; readonly facts: Promise<DatabaseFacts | undefined> }
  >();

  constructor(
    private readonly modules: ModulesContainer,
    private readonly log: Pick<LoggerService, 'warn' | 'debug'>,
  ) {}

  /**
   * The facts about a table and the others of its data source; `undefined` if the database does not tell in time.
   *
   * @param name the name of the data source
   */
  async of(adapter: SessionsAdapter, entity: Schema, name: string): Promise<DatabaseFacts | undefined> {
    if (!adapter.look) return undefined;
    const { dataSource } = adapter.init([]);
    const place = dataSource ?? adapter;
    let look = this.#looks.get(place);
    if (!look?.at.has(entity)) {
      const others = dataSource ? this.#entities().filter((other) => dataSource.hasMetadata(other)) : [];
      const at = new Set<Schema>([entity, ...others, SessionMark]);
      this.#looks.set(place, (look = { at, facts: this.#look(adapter, [...at], name) }));
    }
    return look.facts;
  }

  async #look(adapter: SessionsAdapter, schemas: readonly Schema[], name: string): Promise<DatabaseFacts | undefined> {
    const late = (): undefined => this.#debug(noLookWithin(LOOK_MS));
    try {
      const facts = await inTime<DatabaseFacts | undefined>(adapter.look!(schemas), late, LOOK_MS);
      if (facts) this.#tell(facts, name);
      return facts;
    } catch (error) {
      this.#debug(notLookedAt(reasonOf(error)));
      return undefined;
    }
  }

  /** Warns of unwise settings of a database, once for all of its tables. */
  #tell({ server, unread }: DatabaseFacts, name: string): void {
    for (const reason of unread) this.#debug(notLookedAt(reason));
    for (const finding of checkServer(server)) this.log.warn(ofDataSource(name, inWords(finding)));
  }

  #debug(text: string): undefined {
    this.log.debug?.(text);
  }

  /** The entities of all tables of the application. */
  #entities(): Schema[] {
    const tokens = [...this.modules.values()].flatMap(({ providers }) => [...providers.keys()]);
    return tokens.flatMap((token) => (isTable(token) ? token.entity : []));
  }
}

function isTable(token: unknown): token is AnySessionsTable {
  return typeof token === 'function' && token.prototype instanceof SessionsService && 'definition' in token;
}
