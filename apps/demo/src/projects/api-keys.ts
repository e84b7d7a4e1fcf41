import { RequireScopes, type ScopeOf, type SessionOf, SessionsTable } from '@app/sessions';
import { Project } from './project.entity.js';

export const KEY_SCOPES = ['project:read', 'project:write'] as const;

/** The keys of machines: each belongs to a project, may do what its scopes say, and is valid until it is revoked. */
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
  // For as long as it takes to give every machine the new key.
  rotationGrace: '1d',
  lastUse: true,
  // MySQL allows no default on JSON, and needs none.
  columns: { data: { default: false } },
}) {}

export type ApiKey = SessionOf<ApiKeys>;

/** What a key must be allowed for a route; the compiler knows the scopes. */
export const RequireKeyScopes = RequireScopes<ScopeOf<ApiKeys>>;
