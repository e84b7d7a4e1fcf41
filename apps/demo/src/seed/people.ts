import { randomBytes, randomUUID } from 'node:crypto';
import { digestToken, generateToken } from '@app/sessions';
import { KEY_SCOPES } from '../projects/api-keys.js';
import { hashPassword } from '../users/password.js';
import { devicesOf } from './devices.js';
import { DAY_MS, type PastSession, sessionsOf } from './history.js';
import { Random } from './random.js';

type Row = Record<string, unknown>;
/** Generates identifiers that sort in the order of their creation. */
type NewId = () => unknown;

/** A person with everything that belongs to them, as rows. */
export interface Person {
  readonly user: Row;
  readonly sessions: readonly (Row & { readonly createdAt: Date })[];
  readonly activity: readonly Row[];
  readonly projects: readonly Row[];
  readonly keys: readonly Row[];
}

/** The host of the e-mail addresses of all seeded people. */
export const DOMAIN = 'seed.example.com';

/** The person who can log in. Nobody knows the passwords of the others. */
export const SEEDED_LOGIN = { email: `ada@${DOMAIN}`, password: 'correct horse' };

/** The number of sessions of the person who can log in, and of the others on average. */
const SESSIONS_EACH = 25;
/** How many sessions of a person are in the activity log. */
const LOGGED = 15;

const PROJECTS = ['Analytical Engine', 'Difference Engine', 'Loom', 'Orrery', 'Telegraph', 'Typewriter'];
const MACHINES = ['build server', 'backup', 'dashboard', 'nightly report', 'deployment', 'import'];

/** Generates people until they have this many sessions together. The first one can log in. */
export async function* peopleOf(sessions: number, now: Date, newId: NewId): AsyncGenerator<Person> {
  const random = new Random();
  const unknownHash = await hashPassword(randomBytes(32).toString('hex'));
  const first = { email: SEEDED_LOGIN.email, passwordHash: await hashPassword(SEEDED_LOGIN.password) };
  let rest = sessions;
  for (let i = 0; rest > 0; i++) {
    const count = Math.min(rest, i === 0 ? SESSIONS_EACH : 1 + random.below(2 * SESSIONS_EACH - 1));
    const user = i === 0 ? first : { email: `person-${i}@${DOMAIN}`, passwordHash: unknownHash };
    yield personOf(user, count, now, random, newId);
    rest -= count;
  }
}

function personOf(user: Row, count: number, now: Date, random: Random, newId: NewId): Person {
  const userId = randomUUID();
  const past = sessionsOf(devicesOf(random), count, now, random).map((session) => ({ id: newId(), ...session }));
  const projects = Array.from({ length: 1 + random.below(2) }, () => ({
    id: randomUUID(),
    name: random.of(PROJECTS),
    userId,
  }));
  return {
    user: { id: userId, ...user },
    sessions: past.map((session) => sessionRow(session, userId)),
    activity: past
      .slice(-LOGGED)
      .flatMap(happenings)
      .toSorted((a, b) => a.at.getTime() - b.at.getTime())
      .map((entry) => ({ id: newId(), userId, ...entry })),
    projects,
    keys: projects.flatMap(({ id }) =>
      Array.from({ length: 1 + random.below(3) }, () => keyRow(id, now, random, newId)),
    ),
  };
}

function sessionRow(
  session: PastSession & { readonly id: unknown },
  userId: string,
): Row & { readonly createdAt: Date } {
  const { id, userAgent, ip, createdAt, lastUsedAt, expiresAt, revokedAt, revokedReason } = session;
  return {
    id,
    userId,
    authTokenDigest: newDigest({ length: 64 }),
    data: { userAgent },
    createdAt,
    updatedAt: revokedAt ?? lastUsedAt,
    authenticatedAt: createdAt,
    expiresAt,
    lastUsedAt,
    lastUsedIp: ip,
    lastUsedUserAgent: userAgent,
    revokedAt,
    revokedReason,
  };
}

function keyRow(projectId: string, now: Date, random: Random, newId: NewId): Row {
  const createdAt = new Date(now.getTime() - 60 * DAY_MS * random.next());
  const usedAt = new Date(now.getTime() - (now.getTime() - createdAt.getTime()) * random.next() ** 4);
  const lastUsedAt = random.next() < 0.9 ? usedAt : null;
  const revokedAt = random.next() < 0.2 ? usedAt : null;
  return {
    id: newId(),
    projectId,
    name: random.of(MACHINES),
    scopes: random.of([['project:read'], ['project:*'], KEY_SCOPES]),
    authTokenDigest: newDigest({ prefix: 'key', length: 43 }),
    data: {},
    createdAt,
    updatedAt: usedAt,
    expiresAt: null,
    lastUsedAt,
    revokedAt,
    revokedReason: revokedAt && 'administrative',
  };
}

/** The activity log entries of a session. */
function happenings({ id, createdAt, revokedAt, revokedReason }: PastSession & { readonly id: unknown }): (Row & {
  readonly at: Date;
})[] {
  const created = { sessionId: id, type: 'created', reason: null, at: createdAt };
  return revokedAt ? [created, { sessionId: id, type: 'revoked', reason: revokedReason, at: revokedAt }] : [created];
}

/** The digest of a token that nobody has. */
function newDigest(format: Parameters<typeof generateToken>[0]): string {
  return digestToken(generateToken(format), { algorithm: 'sha256' });
}
