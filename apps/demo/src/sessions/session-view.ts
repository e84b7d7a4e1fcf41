import type { WithIsCurrent } from '@app/sessions';
import type { Session } from './sessions.js';
import { type Status, statusOf } from './status.js';

/** A session as its owner sees it, without the token. */
export interface SessionView extends Status {
  readonly id: string;
  readonly isCurrent: boolean;
  /** The device of the login. */
  readonly device: unknown;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  /** Accurate to five minutes. */
  readonly lastUse: { readonly at: Date; readonly ip: string | null; readonly userAgent: string | null } | null;
}

export function viewOf(session: WithIsCurrent<Session>): SessionView {
  const { id, isCurrent, data, createdAt, expiresAt, lastUsedAt, lastUsedIp, lastUsedUserAgent } = session;
  return {
    id,
    isCurrent,
    ...statusOf(session),
    device: data['userAgent'],
    createdAt,
    expiresAt,
    lastUse: lastUsedAt ? { at: lastUsedAt, ip: lastUsedIp, userAgent: lastUsedUserAgent } : null,
  };
}
