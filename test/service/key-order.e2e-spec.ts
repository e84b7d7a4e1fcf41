import { expect, it } from 'vitest';
import { type SessionEvent, SessionsTable } from '@app/sessions';
import { describeStorages, useApplication } from '../support/application.js';

class Sessions extends SessionsTable({
  extraFields: {
    note: { type: 'string', nullable: true },
    userId: { type: 'string', index: true },
    visits: { type: 'int', default: 0 },
  },
  ownLimits: true,
  lastUse: { ip: true, userAgent: true },
  revocation: true,
  rotation: true,
  freshness: true,
  scopes: ['posts:read'],
}) {}

describeStorages('the fields of a session', (name) => {
  const app = useApplication(name, { tables: [Sessions] });

  it('come in one order, whichever call gives it', async () => {
    const sessions = app.get(Sessions);
    const told: SessionEvent<object>[] = [];
    const listening = sessions.events.subscribe((event) => told.push(event));
    const request = { headers: {} };
    const created = await sessions.signIn(
      { visits: 1, userId: 'u1', data: {}, scopes: [], expiresAt: new Date(app.clock.now.getTime() + 60_000) },
      { request, absoluteTtl: '1d' },
    );
    const streamed: object[] = [];
    for await (const session of sessions.query().stream()) streamed.push(session);
    const given = [
      await sessions.create({ userId: 'u2' }),
      created,
      await sessions.get({ id: created.id }),
      await sessions.authenticate(created.authToken),
      ...(await sessions.list()),
      ...streamed,
      await sessions.update(created, { note: 'x' }),
      await sessions.patchData(created, { x: 1 }),
      await sessions.refresh(created),
      await sessions.rotate(await sessions.getOrFail({ id: created.id })),
      await sessions.reauthenticate(await sessions.getOrFail({ id: created.id })),
      ...told.flatMap((event) => ('session' in event && event.session ? [event.session] : [])),
    ];
    listening.unsubscribe();
    const order =
      'id note userId visits data expiresAt createdAt updatedAt lastUsedAt lastUsedIp lastUsedUserAgent idleTtl'
        .split(' ')
        .concat('absoluteExpiresAt revokedAt revokedReason rotatedAt authenticatedAt scopes isExpired'.split(' '));
    for (const session of given) expect(Object.keys(session!)).toEqual(order);
    expect(given.length).toBeGreaterThan(15);
  });
});
