import { SessionMark, type SessionOf, SessionsTable } from 'nest-sessions';
// oxlint-disable-next-line import/no-cycle -- entities that relate to each other
import { User } from '../users/user.entity.js';

export class Sessions extends SessionsTable({
  table: 'sessions',
  credentials: ['bearer', 'cookie'],
  owner: 'userId',
  extraFields: {
    userId: { type: 'uuid', index: true },
    user: { manyToOne: () => User, joinColumn: 'userId', inverse: 'sessions', onDelete: 'CASCADE' },
  },
  revocation: true,
  freshness: true,
  lastUse: { ip: true, userAgent: true },
}) {}

export type Session = SessionOf<Sessions>;

export const SessionsEntity = Sessions.entity;
export { SessionMark };
