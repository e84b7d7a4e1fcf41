import { Inject } from '@nestjs/common';
import { SessionsService } from '../service/sessions.service.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import { type LastUseDefinition, type SessionsTableDefinition, tableNameOf } from '../table/definition.js';
import { SessionsConfigError } from '../errors/errors.js';
import { wrongType } from '../errors/messages.js';
import { isRecord } from '../errors/option-types.js';
import { soundDefinition } from '../table/sound-definition.js';
import { type DtoOptions, sessionDto, type SessionDto, type ShownField } from '../table/session-dto.js';
import { sessionsEntity, type SessionsEntity } from '../table/entity.js';
import type { CheckedFields, CheckedOptions } from '../table/checked-fields.js';
import type { DataLoading, ExtraFields } from '../table/fields.js';
import type { NewSession, Session, SessionChanges } from '../table/inferred-types.js';
import type {
  AnyFields,
  BuiltInOf,
  ExtraOf,
  LastUseOption,
  RevocationOption,
  TableFields,
} from '../table/table-fields.js';

/** The static side of a class made by {@link SessionsTable}. */
export interface SessionsTableClass<F extends AnyFields = TableFields> {
  /** Creates the service; Nest calls it. */
  new (): SessionsService<F>;
  /** The definition of the table. */
  readonly definition: SessionsTableDefinition;
  /** The TypeORM entity, for `@InjectRepository`, for `entities` of a data source, and for relations to this table. */
  readonly entity: SessionsEntity<F>;
  /**
   * Creates a response class for sessions of the table. `@nestjs/swagger` describes it and class-transformer fills it.
   * It has only the chosen fields, in the order of a session's fields.
   *
   * @throws SessionsConfigError for a field that no session of the table shows
   * @example
   * ```ts
   * export class SessionView extends Sessions.dto({ pick: ['id', 'createdAt', 'expiresAt'] }) {}
   *
   * const view = SessionView.from(session);
   * ```
   */
  dto<const P extends ShownField<F> = ShownField<F>, const O extends ShownField<F> = never>(
    options?: DtoOptions<P, O>,
  ): SessionDto<Pick<Session<F>, Exclude<P, O>>>;
  /** The injection token of the table's run-time part, for the library only. */
  readonly storeToken: symbol;
}

/** Any class made by {@link SessionsTable}. */
export interface AnySessionsTable {
  // The fields of a table occur both in inputs and in outputs, so no single service type fits all tables.
  new (...args: never[]): object;
  readonly definition: SessionsTableDefinition;
  // Not a constructor of sessions: the compiler would compare every part of their type for each guard.
  readonly entity: Function;
  readonly storeToken: symbol;
  readonly name: string;
}

/** A definition whose types are inferred. Not an intersection, whose every property the compiler would make anew. */
export interface CheckedDefinition<
  F extends ExtraFields,
  Scope extends string,
  Revocation extends RevocationOption,
  Data extends DataLoading,
  LastUse extends LastUseOption,
  Rotation extends boolean,
  Freshness extends boolean,
  Limits extends boolean,
> extends SessionsTableDefinition<F> {
  readonly extraFields?: F & CheckedFields<F>;
  readonly scopes?: readonly Scope[];
  readonly revocation?: Revocation & CheckedOptions<Revocation, 'reasons', 'revocation'>;
  readonly data?: Data;
  readonly lastUse?: LastUse & CheckedOptions<LastUse, keyof LastUseDefinition, 'lastUse'>;
  readonly rotation?: Rotation;
  readonly freshness?: Freshness;
  readonly ownLimits?: Limits;
}

/**
 * A table of sessions. The class that extends it is the injection token, the owner of the entity and the typed service.
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
  const Scope extends string = never,
  const Revocation extends RevocationOption = false,
  const Data extends DataLoading = 'withSession',
  const LastUse extends LastUseOption = false,
  const Rotation extends boolean = false,
  const Freshness extends boolean = false,
  const Limits extends boolean = false,
>(
  definition: CheckedDefinition<F, Scope, Revocation, Data, LastUse, Rotation, Freshness, Limits>,
): SessionsTableClass<
  TableFields<ExtraOf<F>, BuiltInOf<Scope, Revocation, Data, LastUse, Rotation, Freshness, Limits>>
> {
  if (!isRecord(definition)) throw new SessionsConfigError([`SessionsTable: ${wrongType('a definition', definition)}`]);
  return tableClass(definition as SessionsTableDefinition);
}

function tableClass<F extends AnyFields>(definition: SessionsTableDefinition): SessionsTableClass<F> {
  const storeToken = Symbol(`nest-sessions:store:${tableNameOf(definition)}`);
  const entities = new WeakMap<object, SessionsEntity<F>>();

  class Table extends SessionsService<F> {
    static readonly definition = definition;
    static readonly storeToken = storeToken;

    static dto(options?: DtoOptions): SessionDto<never> {
      return sessionDto(soundDefinition(definition), options);
    }

    /** Named after the subclass, since entity names must be unique within a data source. */
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

/**
 * The class of a table that is given as a class or as a plain definition; always the same class for the same object.
 */
export function tableClassOf(table: AnySessionsTable | SessionsTableDefinition): AnySessionsTable {
  if (typeof table === 'function') return table;
  let known = TABLES.get(table);
  if (!known) TABLES.set(table, (known = tableClass(table)));
  return known;
}

/** Whatever knows the fields of a table, such as its service. */
interface WithFields {
  readonly fields: AnyFields;
}

/** A session of a table, with its extra fields: `SessionOf<Sessions>`. */
export type SessionOf<S> = S extends WithFields ? Session<S['fields']> : never;

/** The attributes of a new session of a table: `NewSessionOf<Sessions>`. */
export type NewSessionOf<S> = S extends WithFields ? NewSession<S['fields']> : never;

/** The scopes that a session of a table can be given, wildcards included: `ScopeOf<ApiKeys>`. */
export type ScopeOf<S> = S extends { readonly fields: { readonly builtIn: { readonly scopes: readonly (infer V)[] } } }
  ? V
  : never;

/** The changes of a session of a table: `SessionChangesOf<Sessions>`. */
export type SessionChangesOf<S> = S extends WithFields ? SessionChanges<S['fields']> : never;
