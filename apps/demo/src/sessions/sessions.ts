import { type SessionOf, SessionsTable } from '@app/sessions';
import { User } from '../users/user.entity.js';

/** The sessions of people. Their token comes as `Authorization: Bearer …`, as `X-Auth-Token: …`, or in a browser's cookie. */
export class Sessions extends SessionsTable({
  table: 'sessions',
  credentials: ['bearer', { header: 'X-Auth-Token' }, 'cookie'],
  extraFields: {
    userId: { type: 'uuid', index: true, immutable: true },
    user: { manyToOne: () => User, joinColumn: 'userId', onDelete: 'CASCADE' },
  },
  absoluteTtl: '30d',
  sessionLimits: { userId: { max: 10, whenFull: 'endLeastRecentlyUsed' } },
  rotation: true,
  revocation: true,
  freshness: true,
  lastUse: { ip: true, userAgent: true },
  // MySQL allows no default on JSON, and needs none.
  columns: { data: { default: false } },
}) {}

export type Session = SessionOf<Sessions>;
