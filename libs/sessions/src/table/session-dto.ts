import { SessionsConfigError } from '../errors/errors.js';
import { hint, problemsOfOptions } from '../errors/known-options.js';
import { inTable } from '../errors/messages.js';
import { type OptionType, TEXTS } from '../errors/option-types.js';
import type { Row } from '../adapters/port/query.js';
import { type DefinedColumn, shownColumns } from './columns.js';
import { reasonsOf, type SessionsTableDefinition, tableNameOf } from './definition.js';
import type { ColumnKind } from '../adapters/port/columns.js';
import type { ColumnName, Session } from './inferred-types.js';
import type { AnyFields } from './table-fields.js';

/** The fields that a session of a table may show: its columns and `isExpired`. */
export type ShownField<F extends AnyFields> = (ColumnName<F> | 'isExpired') & keyof Session<F> & string;

/** Which fields of a session a response class has. */
export interface DtoOptions<P extends string = string, O extends string = string> {
  /** The fields to include. @default all */
  readonly pick?: readonly P[];
  /** The fields to leave out. */
  readonly omit?: readonly O[];
}

const DTO_OPTIONS = { pick: TEXTS, omit: TEXTS } satisfies Record<keyof DtoOptions, OptionType>;

/** A response class. Its instances accept the chosen fields and those of the class itself, and no others. */
export interface SessionDto<T> {
  /** Creates an instance without fields, to be set one by one. */
  new (): T;
  /** Creates an instance with the fields of a session. */
  from<V extends object>(this: new () => V, session: Readonly<T>): V;
}

/** The OpenAPI schema of a field, as `@nestjs/swagger` reads it. */
type Schema = Readonly<Record<string, unknown>>;

const TEXT: Schema = { type: 'string' };

/** Any JSON value. */
const ANY: Schema = {
  // @nestjs/swagger requires a type, and omits this one.
  type: 'object',
  anyOf: [
    { type: 'object' },
    { type: 'array', items: {} },
    ...['string', 'number', 'boolean'].map((type) => ({ type })),
  ],
};

/** As they appear in JSON. */
const SCHEMAS: Readonly<Record<ColumnKind, Schema>> = {
  string: TEXT,
  uuid: { type: 'string', format: 'uuid' },
  int: { type: 'integer' },
  bigint: TEXT,
  number: { type: 'number' },
  decimal: TEXT,
  boolean: { type: 'boolean' },
  timestamp: { type: 'string', format: 'date-time' },
  json: ANY,
  enum: TEXT,
  other: ANY,
};

/**
 * Creates a response class for sessions of a table. `@nestjs/swagger` describes it and class-transformer fills it
 * without further decorators.
 *
 * @throws SessionsConfigError for a field that no session of the table shows
 */
export function sessionDto(definition: SessionsTableDefinition, options: DtoOptions = {}): SessionDto<never> {
  const schemas = schemasOf(definition);
  check(definition, options, [...schemas.keys()]);
  const { pick, omit = [] } = options;
  const picked = [...schemas.keys()].filter((name) => (pick?.includes(name) ?? true) && !omit.includes(name));
  const takes = (instance: object, name: string | symbol): boolean =>
    picked.includes(String(name)) || Object.hasOwn(instance, name);
  const made: unknown = class {
    static _OPENAPI_METADATA_FACTORY(): Record<string, Schema> {
      return Object.fromEntries(picked.map((name) => [name, { required: true, ...schemas.get(name) }]));
    }

    static from<V extends object>(this: new () => V, session: Row): V {
      return Object.assign(new this(), Object.fromEntries(picked.map((name) => [name, session[name]])));
    }

    constructor() {
      // class-transformer creates an instance first, then sets whatever it finds.
      return new Proxy(this, {
        set: (instance, name, value) => !takes(instance, name) || Reflect.set(instance, name, value),
      });
    }
  };
  return made as SessionDto<never>;
}

/** The schemas of the shown fields, in the order of a session's fields. */
function schemasOf(definition: SessionsTableDefinition): Map<string, Schema> {
  const columns = shownColumns(definition).map((column) => [column.property, schemaOf(definition, column)] as const);
  return new Map([...columns, ['isExpired', SCHEMAS.boolean]]);
}

function schemaOf(definition: SessionsTableDefinition, column: DefinedColumn): Schema {
  const { nullable } = column;
  return { ...bareSchemaOf(definition, column), ...(nullable && column.property !== 'scopes' && { nullable: true }) };
}

function bareSchemaOf(definition: SessionsTableDefinition, column: DefinedColumn): Schema {
  const { property, kind, transformer, values, length, scopes } = column;
  if (property === 'data') return { type: 'object', additionalProperties: true };
  if (scopes) return { ...TEXT, isArray: true };
  if (property === 'revokedReason') return { ...TEXT, enum: reasonsOf(definition) };
  // A transformer may turn it into anything.
  if (transformer) return ANY;
  if (values) return { ...TEXT, enum: values };
  return { ...SCHEMAS[kind], ...(length !== undefined && { maxLength: length }) };
}

function check(definition: SessionsTableDefinition, options: DtoOptions, names: readonly string[]): void {
  const fail = (problems: readonly string[]): never => {
    throw new SessionsConfigError(problems.map((problem) => inTable(tableNameOf(definition), `dto: ${problem}`)));
  };
  const problems = problemsOfOptions('', options, DTO_OPTIONS);
  if (problems.length > 0) fail(problems);
  const unknown = [...(options.pick ?? []), ...(options.omit ?? [])].filter((name) => !names.includes(name));
  if (unknown.length > 0) fail(unknown.map((name) => `"${name}" is no field of its sessions ${hint(name, names)}`));
}
