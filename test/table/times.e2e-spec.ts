import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SessionsTable } from '@app/sessions';
import { describeDatabases } from '../support/databases.js';
import { useApplication } from '../support/application.js';
import { DAY } from '../support/clock.js';

class Sessions extends SessionsTable({ extraFields: { seen: { type: 'timestamp', nullable: true } } }) {}

const ZONES = ['UTC', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Apia'];
/** Half an hour that a clock in New York passes twice, and one that it never passes. */
const TWICE = new Date('2026-11-01T05:30:00.001Z');
const NEVER = new Date('2026-03-08T07:30:00.999Z');

describeDatabases('moments', (name) => {
  const app = useApplication(name, { tables: [Sessions] });
  let sessions: Sessions;
  const zone = process.env['TZ'];
  beforeAll(() => {
    sessions = app.get(Sessions);
  });
  afterEach(() => {
    process.env['TZ'] = zone ?? '';
    if (zone === undefined) delete process.env['TZ'];
  });

  /** The text in the table, as far as the milliseconds. */
  const raw = async (column: string): Promise<(string | undefined)[]> =>
    (await app.rawText('sessions', column)).map((text) => text?.slice(0, 23));

  it.each(ZONES)('are stored as UTC with milliseconds by a process in %s', async (TZ) => {
    process.env['TZ'] = TZ;
    expect(new Date(TWICE).getTimezoneOffset() === 0).toBe(TZ === 'UTC');
    await sessions.create({ seen: TWICE, expiresAt: NEVER });
    expect(await raw('seen')).toEqual(['2026-11-01 05:30:00.001']);
    expect(await raw('expiresAt')).toEqual(['2026-03-08 07:30:00.999']);
    expect(await raw('createdAt')).toEqual(['2026-01-01 00:00:00.123']);
    expect(await raw('updatedAt')).toEqual(['2026-01-01 00:00:00.123']);
  });

  it('are the same for processes in different time zones', async () => {
    for (const writer of ZONES) {
      process.env['TZ'] = writer;
      const session = await sessions.create({ seen: TWICE, expiresAt: NEVER });
      for (const reader of ZONES) {
        process.env['TZ'] = reader;
        expect(await sessions.get({ id: session.id, seen: TWICE, expiresAt: NEVER })).toEqual(session);
      }
    }
  });

  describe('of the end', () => {
    it('are judged alike in every time zone', async () => {
      const { authToken } = await sessions.create({});
      app.clock.advance(7 * DAY - 1);
      for (const TZ of ZONES) {
        process.env['TZ'] = TZ;
        expect(await sessions.authenticate(authToken, { autoExtend: false })).not.toBeNull();
      }
      app.clock.advance(1);
      for (const TZ of ZONES) {
        process.env['TZ'] = TZ;
        expect(await sessions.authenticate(authToken)).toBeNull();
        expect(await sessions.count({ status: 'expired' })).toBe(1);
      }
    });
  });
});
