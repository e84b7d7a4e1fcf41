import type { Device } from './devices.js';
import type { Random } from './random.js';

/** An invented session. */
export interface PastSession extends Device {
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  readonly expiresAt: Date;
  readonly revokedAt: Date | null;
  readonly revokedReason: string | null;
}

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** How far the seed goes back. */
const DAYS = 60;

/** The limits of the demo's sessions. */
const TTL_MS = 7 * DAY_MS;
const ABSOLUTE_MS = 30 * DAY_MS;
const MAX_VALID = 10;

/** Weighted: a reason that is listed more often occurs more often. */
const REASONS = [
  ...Array.from({ length: 12 }, () => 'signed_out'),
  ...Array.from({ length: 4 }, () => 'superseded'),
  ...Array.from({ length: 2 }, () => 'credentials_changed'),
  'administrative',
  'token_reuse',
];

/** The sessions of one person, oldest first. No more are valid than the demo allows. */
export function sessionsOf(devices: readonly Device[], count: number, now: Date, random: Random): PastSession[] {
  const sessions = Array.from({ length: count }, () => sessionOn(random.of(devices), now, random)).toSorted(
    (a, b) => a.createdAt.getTime() - b.createdAt.getTime(),
  );
  const valid = sessions.filter((session) => !session.revokedAt && session.expiresAt > now);
  const surplus = new Set(valid.slice(0, -MAX_VALID));
  return sessions.map((session) =>
    surplus.has(session) ? endedByLimit(session, sessions.at(-1)!.createdAt) : session,
  );
}

function sessionOn(device: Device, now: Date, random: Random): PastSession {
  const createdAt = loginTime(now, random);
  const used = Math.min(createdAt.getTime() + ABSOLUTE_MS * random.next() ** 3, now.getTime());
  const lastUsedAt = new Date(used);
  const expiresAt = new Date(Math.min(used + TTL_MS, createdAt.getTime() + ABSOLUTE_MS));
  const revoked = random.next() < 0.3;
  const revokedReason = revoked ? random.of(REASONS) : null;
  return { ...device, createdAt, lastUsedAt, expiresAt, revokedAt: revoked ? lastUsedAt : null, revokedReason };
}

function endedByLimit(session: PastSession, revokedAt: Date): PastSession {
  const lastUsedAt = session.lastUsedAt < revokedAt ? session.lastUsedAt : revokedAt;
  return { ...session, lastUsedAt, revokedAt, revokedReason: 'session_limit' };
}

/** More sessions recently than at first, more by day than at night, fewer on Sundays. */
function loginTime(now: Date, random: Random): Date {
  for (;;) {
    const age = DAYS * DAY_MS * (1 - Math.sqrt(random.next()));
    const time = new Date(now.getTime() - age);
    const byDay = Math.sin((Math.PI * time.getUTCHours()) / 24);
    const byWeek = [0, 6].includes(time.getUTCDay()) ? 0.5 : 1;
    if (random.next() < (0.1 + 0.9 * byDay) * byWeek) return time;
  }
}
