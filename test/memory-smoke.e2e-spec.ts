import { Test } from '@nestjs/testing';
import { In } from 'typeorm';
import { expect, it } from 'vitest';
import { JsonPath, MemoryAdapter, SessionsModule, SessionsTable, type SessionOf } from '@app/sessions';

class Sessions extends SessionsTable({
  extraFields: {
    userId: { type: 'string', index: true },
    note: { type: 'text', nullable: true },
    level: { type: 'enum', values: ['a', 'b'], default: 'a' },
    big: { type: 'bigint', default: '9007199254740993' },
    seen: { type: 'timestamp', nullable: true },
  },
}) {}
it('works', async () => {
  let now = new Date('2026-01-01T00:00:00.123Z');
  const module = await Test.createTestingModule({
    imports: [
      SessionsModule.forRoot({ clock: () => now, adapter: new MemoryAdapter() }),
      SessionsModule.forFeature(Sessions),
    ],
  }).compile();
  await module.init();
  const sessions = module.get(Sessions);
  const session = await sessions.create({
    userId: 'u1',
    data: { device: { name: 'x', n: [1, 2] } },
    seen: new Date(5),
  });
  const again: SessionOf<Sessions> | null = await sessions.get({ authToken: session.authToken });
  expect(again).toEqual(session);
  expect(await sessions.get({ data: JsonPath(['device', 'n', 1], 2) })).toEqual(session);
  expect(await sessions.get({ data: JsonPath(['device', 'name'], In(['y'])) })).toEqual(null);
  now = new Date(now.getTime() + 3 * 86_400_000);
  const extended = await sessions.get({ authToken: session.authToken });
  expect(extended!.expiresAt).toEqual(new Date(now.getTime() + 7 * 86_400_000));
  expect(await sessions.update(session, { note: 'hi', userId: 'u2' })).toMatchObject({ note: 'hi', userId: 'u2' });
  expect(await sessions.list({ userId: 'u2' })).toHaveLength(1);
  expect(await sessions.expire(session)).toBe(true);
  expect(await sessions.expire(session)).toBe(false);
  expect(await sessions.count({ status: 'expired' })).toBe(1);
  expect(await sessions.deleteExpired()).toBe(1);
  expect(await sessions.count({ status: 'all' })).toBe(0);
  await module.close();
});
