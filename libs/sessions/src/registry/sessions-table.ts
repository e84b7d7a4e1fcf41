import { Inject } from '@nestjs/common';
import { SessionsService } from '../service/sessions.service.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import { type SessionsTableDefinition, tableNameOf } from '../table/definition.js';
import { type DataLoading } from '../table/inferred-types.js';
import { SessionsConfigError } from '../errors/errors.js';
import { wrongType } from '../errors/messages.js';
import { isObject } from '../errors/option-types.js';
import { soundDefinition } from '../table/sound-definition.js';
import { sessionsEntity, type SessionsEntity } from '../table/entity.js';
import type { CheckedFields } from '../table/checked-fields.js';
import type { ExtraFields } from '../table/fields.js';
import type { NewSession, OwnValues, Session, SessionChanges } from '../table/inferred-types.js';

/** What a class made by {@link SessionsTable} has beside its instances' calls. */
export interface SessionsTableClass<F extends ExtraFields = ExtraFields> {
  new (): SessionsService<F>;
  readonly definition: SessionsTableDefinition<F>;
  /** The TypeORM entity, for `@InjectRepository`, for `entities` of a data source, and for relations to this table. */
  readonly entity: SessionsEntity<F>;
  /** The injection token of the table's run-time part; of use to the library only. */
  readonly storeToken: symbol;
}

/** Any class made by {@link SessionsTable}. */
export type AnySessionsTable = Pick<SessionsTableClass, 'definition' | 'storeToken'> & {
  // The fields of a table stand both in what it takes and in what it gives, so no one type of service holds them all.
  new (...args: never[]): object;
  readonly entity: new () => object;
  readonly name: string;
};

/**
 * A table of sessions: the class that extends it is the injection token, the owner of the entity and the typed service.
 *
 * @example
 * ```ts
 * export class Sessions extends SessionsTable({
 *   table: 'sessions',
 *   extraFields: { userId: { type: 'string', index: true } },
 * }) {}
 * ```
 */
export function SessionsTable<
  const F extends ExtraFields = {},
  const S extends string = never,
  const R extends string = never,
  const D extends DataLoading = 'withSession',
>(
  definition: SessionsTableDefinition<F> & {
    readonly extraFields?: CheckedFields<F>;
    readonly scopes?: readonly S[];
    readonly revocation?: boolean | { readonly reasons?: readonly R[] };
    readonly data?: D;
  },
): SessionsTableClass<F & OwnValues<S, R, D>> {
  if (!isObject(definition)) throw new SessionsConfigError([`SessionsTable: ${wrongType('a definition', definition)}`]);
  return tableClass(definition as SessionsTableDefinition<F & OwnValues<S, R, D>>);
}

function tableClass<F extends ExtraFields>(definition: SessionsTableDefinition<F>): SessionsTableClass<F> {
  const storeToken = Symbol(`nest-sessions:store:${tableNameOf(definition)}`);
  const entities = new WeakMap<object, SessionsEntity<F>>();

  class Table extends SessionsService<F> {
    static readonly definition = definition;
    static readonly storeToken = storeToken;

    /** Named after the subclass, since names of entities have to be unique within a data source. */
    static get entity(): SessionsEntity<F> {
      let entity = entities.get(this);
      if (!entity) {
        entity = sessionsEntity<F>(Table === this ? tableNameOf(definition) : this.name, soundDefinition(definition));
        entities.set(this, entity);
      }
      return entity;
    }

    @Inject(storeToken)
    private readonly opened?: SessionsStore;

    protected override get store(): SessionsStore {
      return this.opened ?? super.store;
    }
  }
  return Table;
}

const TABLES = new WeakMap<object, AnySessionsTable>();

/** The class of a table that was given as a class, or as a plain definition; the same one for the same object. */
export function tableClassOf(table: AnySessionsTable | SessionsTableDefinition): AnySessionsTable {
  if (typeof table === 'function') return table;
  let known = TABLES.get(table);
  if (!known) TABLES.set(table, (known = SessionsTable(table) as AnySessionsTable));
  return known;
}

/** A session of a table, with its extra fields: `SessionOf<Sessions>`. */
export type SessionOf<S> = S extends SessionsService<infer F> ? Session<F> : never;

/** The attributes of a new session of a table: `NewSessionOf<Sessions>`. */
export type NewSessionOf<S> = S extends SessionsService<infer F> ? NewSession<F> : never;

/** The scopes that a session of a table can be given, wildcards included: `ScopeOf<ApiKeys>`. */
export type ScopeOf<S> =
  S extends SessionsService<infer F>
    ? F extends { readonly scopes: { readonly transformer: { from(value: never): readonly (infer V)[] } } }
      ? V
      : never
    : never;

/** The changes of a session of a table: `SessionChangesOf<Sessions>`. */
export type SessionChangesOf<S> = S extends SessionsService<infer F> ? SessionChanges<F> : never;
