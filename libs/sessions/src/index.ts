export { column, jsonKeys, JsonPath, jsonWithin, later, param, stored } from './adapters/port/operators.js';
export type {
  Conversion,
  Direction,
  Executed,
  ExecutedEach,
  InsertOptions,
  OnConflict,
  Prepared,
  QueryKind,
  QueryOptions,
  RawRow,
  StreamOptions,
} from './adapters/port/query.js';
export type { EctoAdapter } from './adapters/port/ecto-adapter.js';
export type { AdapterMeta, ColumnState, SessionsAdapter } from './adapters/port/sessions-adapter.js';
export type {
  ColumnFacts,
  DatabaseFacts,
  EntityNames,
  IndexFacts,
  PreparedFacts,
  ServerFacts,
  TableFacts,
  TableKind,
} from './adapters/port/table-facts.js';
export type { DigestForm, TimeForm, TimeText } from './adapters/port/value-forms.js';
export type { Diagnosis } from './lifecycle/doctor.js';
export type { Finding, FindingCode } from './table/checks/finding.js';
export { SessionMark } from './adapters/port/session-mark.js';
export { MemoryAdapter } from './adapters/memory/memory-adapter.js';
export { TypeOrmAdapter, type TypeOrmAdapterOptions } from './adapters/typeorm/typeorm-adapter.js';
export type { ChannelConnection, InvalidationChannel } from './cache/channels/invalidation-channel.js';
export { PostgresChannel, type PostgresChannelOptions } from './cache/channels/postgres-channel.js';
export { RedisChannel } from './cache/channels/redis-channel.js';
export type { Duration } from './util/duration.js';
export {
  MultipleSessionsError,
  SessionLimitError,
  SessionNotFoundError,
  SessionsConfigError,
  SessionsError,
  type SessionsErrorCode,
  SessionsUnavailableError,
  SessionValidationError,
  StaleCredentialsError,
  StaleEntryError,
  StaleSessionError,
  UniqueConstraintError,
  UnreadableRowError,
  UnsupportedQueryError,
} from './errors/errors.js';
export type { RefusalReason, SessionEvent, SessionEventOf, SessionEventType } from './events/session-event.js';
export { SessionEvents } from './events/session-events.js';
export { SessionsMetrics } from './metrics/sessions-metrics.js';
export type { TableMetrics } from './metrics/table-metrics.js';
export { OptionalSession, Public } from './guard/access.decorators.js';
export type { GuardedCall } from './guard/calls/call.js';
export type { SessionCookieOptions } from './http/cookie-options.js';
export type { ClientRequest } from './http/client-address.js';
export type { CredentialSource } from './http/credentials.js';
export {
  createCurrentSession,
  CurrentSession,
  type CurrentSessionDecorator,
} from './guard/current-session.decorator.js';
export type { SessionGuardOptions } from './guard/guard-options.js';
export type { RequestWithSession } from './guard/request-session.js';
export { RefusalBudget, type RefusalBudgetOptions, type RefusalLimiter } from './guard/refusal-budget.js';
export { Authoritative, RequireFresh, RequireScopes } from './guard/requirement.decorators.js';
export { type ClearCookieOptions, SessionCookies } from './guard/session-cookies.js';
export { SessionGuard } from './guard/session.guard.js';
export { sessionOf } from './guard/session-of-request.js';
export { hasScopes, type ScopeGrant } from './session/scopes.js';
export type { OwnReason, RevocationReason } from './session/revocation-reasons.js';
export type { BaseSession, CommonSession, OptionalColumns, SessionStatus } from './session/session.js';
export type {
  AuthenticateOptions,
  CreateOptions,
  EndOptions,
  FindOptions,
  GetOptions,
  ListOptions,
  RevokeOptions,
  SessionOrder,
  SessionReference,
  SignInOptions,
  UpdateOptions,
  WithIsCurrent,
  WriteOptions,
} from './service/call-options.js';
export { SessionQuery } from './service/session-query.js';
export { SessionsService } from './service/sessions.service.js';
export { SessionsModule } from './module/sessions.module.js';
export type {
  AssuranceLevel,
  CacheOptions,
  PruningOptions,
  RetentionOptions,
  SessionsModuleOptions,
  TableOptions,
} from './options/sessions.options.js';
export type { LiveOptions } from './options/live.options.js';
export type { LookUpOptions } from './options/look-up.options.js';
export { LiveSessions } from './registry/live-sessions.js';
export type { Hold } from './live/hold.js';
export type { RpcOptions } from './options/rpc.options.js';
export { getSessionsToken, InjectSessions } from './registry/inject-sessions.js';
export type { SessionUse } from './lifecycle/last-use.js';
export type { OwnLimits } from './lifecycle/own-limits.js';
export type {
  ColumnMapping,
  KeyMapping,
  LastUseDefinition,
  SessionLimit,
  SessionsTableDefinition,
} from './table/definition.js';
export type { DtoOptions, SessionDto } from './table/session-dto.js';
export type { ExtraFields, FieldDefinition, JsonValue, RelationDefinition } from './table/fields.js';
export type {
  NewSession,
  ReasonOf,
  Session,
  SessionChanges,
  SessionFilters,
  SessionFilterSet,
  WithToken,
} from './table/inferred-types.js';
export type { SessionsEntity } from './table/entity.js';
export type { BuiltInFields, Field, FieldTrait, TableFields } from './table/table-fields.js';
export { createSessionsTable, dropSessionsTable } from './registry/migrations.js';
export {
  convertDigests,
  type ConvertDigestsOptions,
  dropFormerDigests,
  type DropFormerDigestsOptions,
} from './registry/convert-digests.js';
export type { DigestProgress } from './adapters/typeorm/conversion/convert.js';
export {
  type NewSessionOf,
  type ScopeOf,
  type SessionChangesOf,
  type SessionOf,
  SessionsTable,
  type SessionsTableClass,
} from './registry/sessions-table.js';
export { digestToken, type DigestScheme, type HashScheme, type KeyedScheme, type SigningKey } from './token/digest.js';
export { generateToken } from './token/generate.js';
export { type TokenFormat, tokenPattern } from './token/format.js';
