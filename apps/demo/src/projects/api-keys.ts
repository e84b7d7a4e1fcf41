import { RequireScopes, type ScopeOf, type SessionOf, SessionsTable } from '@app/sessions';
import { Project } from './project.entity.js';

export const KEY_SCOPES = ['project:read', 'project:write'] as const;

/** API keys. Each belongs to a project, may do what its scopes allow, and is valid until it is revoked. */
export class ApiKeys extends SessionsTable({
  table: 'api_keys',
  tokenPrefix: 'key',
  sessionTtl: null,
  extraFields: {
    projectId: { type: 'uuid', index: true, immutable: true },
    name: { type: 'string', length: 100 },
    project: { manyToOne: () => Project, joinColumn: 'projectId', onDelete: 'CASCADE' },
  },
  scopes: KEY_SCOPES,
  revocation: true,
  rotation: true,
  // Long enough to give every machine the new key.
  rotationGrace: '1d',
  lastUse: true,
  // MySQL neither allows nor needs a default on JSON.
  columns: { data: { default: false } },
}) {}

export type ApiKey = SessionOf<ApiKeys>;

/** The scopes that a route requires. The compiler knows the possible ones. */
export const RequireKeyScopes = RequireScopes<ScopeOf<ApiKeys>>;
