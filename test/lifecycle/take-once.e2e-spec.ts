import { beforeAll, expect, it } from 'vitest';
import { type SessionEvent, SessionsTable, SessionValidationError } from '@app/sessions';
import { describeStorages, useApplication } from '../support/application.js';
import { at, DAY, SECOND } from '../support/clock.js';

const FIELDS = { userId: { type: 'string' } } as const;

/** Keeps what was revoked. */
class Links extends SessionsTable({
  table: 'links',
  extraFields: FIELDS,
  revocation: { reasons: ['used'] },
  lastUse: true,
  rotation: true,
  cache: { channel: null },
}) {}
/** Keeps no more than an end. */
class Plain extends SessionsTable({ table: 'plain', extraFields: FIELDS, cache: { channel: null } }) {}
const TABLES = { Links, Plain };

describeStorages('taking a session once', (name) => {
  const app = useApplication(name, { tables: [Links, Plain], options: { defaultTable: 'plain' } });
  let links: Links;
  beforeAll(() => {
    links = app.get(Links);
  });

  it.each(Object.keys(TABLES) as (keyof typeof TABLES)[])('gives %s of a token to one of a hundred', async (table) => {
    const service = app.get<Plain>(TABLES[table]);
    const { authToken, id } = await service.create({ userId: 'u1', data: { to: '/settings' } });
    const other = await service.create({ userId: 'u2' });
    await service.authenticate(authToken);
    const events: SessionEvent[] = [];
    const listening = service.events.subscribe((event) => events.push(event));
    const taken = await Promise.all(Array.from({ length: 100 }, () => service.takeOnce({ authToken })));
    listening.unsubscribe();
    expect(taken.filter((session) => session !== null)).toEqual([
      expect.objectContaining({ id, userId: 'u1', data: { to: '/settings' }, isExpired: true }),
    ]);
    expect(events).toEqual([expect.objectContaining({ type: 'revoked', reason: 'signed_out' })]);
    expect(await service.authenticate(authToken)).toBeNull();
    expect(await service.authenticate(other.authToken)).toMatchObject({ userId: 'u2' });
  });

  it('gives it once also where nobody listens, and refuses the token from then on', async () => {
    const { authToken } = await links.create({ userId: 'u1' });
    expect(await links.takeOnce({ authToken })).toMatchObject({ userId: 'u1' });
    expect(await links.takeOnce({ authToken })).toBeNull();
    expect(await links.authenticate(authToken)).toBeNull();
  });

  it('keeps when and why, as other revocations', async () => {
    const { authToken, id } = await links.create({ userId: 'u1' });
    app.clock.advance(SECOND);
    const taken = await links.takeOnce({ authToken }, { reason: 'used' });
    expect(taken).toMatchObject({ revokedAt: at(SECOND), revokedReason: 'used', isExpired: true });
    expect(await links.list({ id, status: 'revoked' })).toEqual([taken]);
  });

  it('extends nothing, and notes no use', async () => {
    const { authToken, id, expiresAt } = await links.create({ userId: 'u1' });
    app.clock.advance(6 * DAY);
    expect(await links.takeOnce({ authToken })).toMatchObject({ expiresAt, lastUsedAt: null });
    expect(await links.list({ id, status: 'all' })).toMatchObject([{ expiresAt, lastUsedAt: null }]);
  });

  it('gives nothing for a session that has ended, or was rotated, and for what is no token', async () => {
    const ended = await links.create({ userId: 'u1' });
    await links.expire(ended);
    const late = await links.create({ userId: 'u1', expiresAt: at(SECOND) });
    const rotated = await links.create({ userId: 'u1' });
    const { authToken } = (await links.rotate(rotated))!;
    app.clock.advance(SECOND);
    const others: unknown[] = ['', 'x', null, undefined, 5, {}, [authToken], `${authToken}x`];
    for (const token of [ended.authToken, late.authToken, rotated.authToken, ...others])
      expect(await links.takeOnce({ authToken: token })).toBeNull();
    expect(await links.takeOnce({ authToken })).toMatchObject({ userId: 'u1' });
  });

  it('refuses a reason that the table does not have, and ends nothing', async () => {
    const { authToken } = await links.create({ userId: 'u1' });
    const refused = links.takeOnce({ authToken }, { reason: 'because' as never });
    await expect(refused).rejects.toThrow(SessionValidationError);
    expect(await links.authenticate(authToken)).not.toBeNull();
  });

  it.runIf(name !== 'memory')('is part of the transaction of its caller', async () => {
    const { authToken } = await links.create({ userId: 'u1' });
    const rolledBack = app.manager.transaction(async (manager) => {
      expect(await links.takeOnce({ authToken }, { manager })).not.toBeNull();
      throw new Error('undone');
    });
    await expect(rolledBack).rejects.toThrow('undone');
    expect(await links.takeOnce({ authToken })).not.toBeNull();
  });
});
