import { type ScopeOf, type SessionOf, RequireScopes, SessionsTable } from 'nest-sessions';

export class ApiKeys extends SessionsTable({
  table: 'api_keys',
  tokenPrefix: 'key',
  sessionTtl: null,
  credentials: ['bearer', { header: 'X-Api-Key' }],
  scopes: ['reports:read', 'reports:write'],
  extraFields: { userId: { type: 'uuid', index: true }, name: { type: 'string' } },
}) {}

export type ApiKey = SessionOf<ApiKeys>;

export const RequireKeyScopes = RequireScopes<ScopeOf<ApiKeys>>;
export const ApiKeysEntity = ApiKeys.entity;
