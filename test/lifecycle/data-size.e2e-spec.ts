import { beforeAll, describe, expect, it } from 'vitest';
import { SessionsTable, SessionValidationError, StaleSessionError } from '@app/sessions';
import { describeStorages, useApplication } from '../support/application.js';
import { errorOf } from '../support/sessions.js';

class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string', length: 36 } } }) {}
class Roomy extends SessionsTable({ table: 'roomy', maxDataSize: null }) {}
class Small extends SessionsTable({ table: 'small', maxDataSize: 100 }) {}

const KB = 1024;
const REFUSED = (most: number): object => ({ data: `must have at most ${most} bytes as JSON (maxDataSize)` });
const text = (bytes: number): string => 'é'.repeat(Math.floor(bytes / 2));

describeStorages('the size of data', (name) => {
  const app = useApplication(name, { tables: [Sessions, Roomy, Small], options: { defaultTable: Sessions } });
  let sessions: Sessions;
  let small: Small;
  beforeAll(() => {
    sessions = app.get(Sessions);
    small = app.get(Small);
  });

  describe('ends at 64 KB, counted in bytes', () => {
    it('for new sessions', async () => {
      const kept = await sessions.create({ userId: 'u1', data: { notes: text(60 * KB) } });
      expect(await sessions.get({ id: kept.id })).toMatchObject({ data: { notes: text(60 * KB) } });
      expect(await errorOf(sessions.create({ userId: 'u2', data: { notes: text(66 * KB) } }))).toMatchObject({
        errors: REFUSED(64 * KB),
      });
      expect(await sessions.count({ userId: 'u2' })).toBe(0);
    });

    it('for changes', async () => {
      const session = await sessions.create({ userId: 'u1', data: { a: 1 } });
      expect(await errorOf(sessions.update(session, { data: { notes: text(66 * KB) } }))).toMatchObject({
        errors: REFUSED(64 * KB),
      });
      expect(await sessions.get({ id: session.id })).toEqual(await sessions.get({ authToken: session.authToken }));
      expect(await sessions.get({ id: session.id })).toMatchObject({ data: { a: 1 } });
    });
  });

  describe('of which single keys are changed', () => {
    it('counts with those that stay', async () => {
      const session = await small.create({ data: { a: text(40), b: text(20) } });
      expect(await errorOf(small.patchData(session, { c: text(40) }))).toMatchObject({ errors: REFUSED(100) });
      expect(await small.get({ id: session.id })).toMatchObject({ data: { a: text(40), b: text(20) } });
    });

    it('counts without those that are replaced or taken away', async () => {
      const session = await small.create({ data: { a: text(40), b: text(20) } });
      expect(await small.patchData(session, { a: text(50) })).toMatchObject({ data: { a: text(50), b: text(20) } });
      const changed = await small.patchData(session, { a: undefined, b: text(70) });
      expect(changed).toMatchObject({ data: { b: text(70) } });
    });

    it('is as the row has it, not as the session was read', async () => {
      const session = await small.create({ data: {} });
      const keys = Array.from({ length: 10 }, (_, i) => ({ [`k${i}`]: text(20) }));
      const ended = await Promise.allSettled(keys.map((key) => small.patchData(session, key)));
      const refusals = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
      expect(refusals).toHaveLength(7);
      expect(refusals).toEqual(refusals.map(() => expect.any(SessionValidationError)));
      expect(Object.keys((await small.get({ id: session.id }))!.data)).toHaveLength(3);
    });

    it('is no matter where the session is gone', async () => {
      const session = await small.create({ data: {} });
      await small.delete(session);
      expect(await errorOf(small.patchData(session, { a: text(200) }))).toBeInstanceOf(StaleSessionError);
    });
  });

  it('has no end where null says so', async () => {
    const roomy = app.get(Roomy);
    const session = await roomy.create({ data: { notes: text(200 * KB) } });
    expect(await roomy.patchData(session, { more: 1 })).toMatchObject({ data: { notes: text(200 * KB), more: 1 } });
  });
});
