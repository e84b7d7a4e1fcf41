import { type SessionOf, SessionsTable } from '@app/sessions';
import { Project } from './project.entity.js';

/** The keys of machines: each belongs to a project, and is valid until it is revoked. */
export class ApiKeys extends SessionsTable({
  table: 'api_keys',
  tokenPrefix: 'key',
  sessionTtl: null,
  extraFields: {
    projectId: { type: 'uuid', index: true, immutable: true },
    name: { type: 'string', length: 100 },
    project: { manyToOne: () => Project, joinColumn: 'projectId', onDelete: 'CASCADE' },
  },
  // MySQL allows no default on JSON, and needs none.
  columns: { data: { default: false } },
}) {}

export type ApiKey = SessionOf<ApiKeys>;
