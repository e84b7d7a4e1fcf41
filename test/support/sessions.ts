import { type SessionOf, SessionsTable } from '@app/sessions';

/** The table that most suites work on. */
export class Sessions extends SessionsTable({
  extraFields: {
    userId: { type: 'string', index: true },
    note: { type: 'string', length: 20, nullable: true },
    visits: { type: 'int', default: 0 },
    origin: { type: 'string', nullable: true, immutable: true },
  },
}) {}

/** Sessions of these users, each created a second after the one before. */
export async function createFor(
  sessions: Sessions,
  clock: { advance(ms: number): unknown },
  ...userIds: string[]
): Promise<SessionOf<Sessions>[]> {
  const created: SessionOf<Sessions>[] = [];
  for (const userId of userIds) {
    created.push(await sessions.create({ userId }));
    clock.advance(1000);
  }
  return created;
}

/** The owners of sessions, in the order of the list. */
export function usersOf(sessions: readonly { userId: string }[]): string[] {
  return sessions.map((session) => session.userId);
}

/** What went wrong, for a look at more than its message. */
export async function errorOf(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const failed = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (failed instanceof Error) return failed as Error & Record<string, unknown>;
  throw new Error('It did not fail.');
}
