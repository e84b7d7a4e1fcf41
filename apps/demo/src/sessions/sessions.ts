import { type SessionOf, SessionsTable } from '@app/sessions';
import { User } from '../users/user.entity.js';

/** Sessions of users. The token comes as `Authorization: Bearer …`, as `X-Auth-Token: …`, or in a cookie. */
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
  // MySQL neither allows nor needs a default on JSON.
  columns: { data: { default: false } },
}) {}

export type Session = SessionOf<Sessions>;
