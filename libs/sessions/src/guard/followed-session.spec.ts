import { Test, type TestingModule } from '@nestjs/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MemoryAdapter } from '../adapters/memory/memory-adapter.js';
import { DATE_FROZEN } from '../cache/messages.js';
import type { Prepared, Row } from '../adapters/port/query.js';
import { SessionsModule } from '../module/sessions.module.js';
import { SessionsTable } from '../registry/sessions-table.js';
import { SessionsRegistry } from '../registry/sessions.registry.js';
import type { BaseSession } from '../session/session.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import { FollowedSession } from './followed-session.js';

class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string' } } }) {}

/** Counts reads, and lets something happen while a row is on its way. */
class WatchedAdapter extends MemoryAdapter {
  reads = 0;
  meanwhile: (() => void) | undefined;

  override async first(prepared: Prepared, params?: Row): Promise<Row | undefined> {
    this.reads++;
    const row = await super.first(prepared, params);
    this.meanwhile?.();
    this.meanwhile = undefined;
    return row;
  }
}

let module: TestingModule;
let adapter: WatchedAdapter;
let sessions: Sessions;
let store: SessionsStore;
let id: string;
let followed: FollowedSession;

/** A copy of the session for one more use. */
async function use(authoritative = false): Promise<BaseSession | null> {
  const session = await followed.use({ headers: {} }, authoritative);
  return session && followed.copyOf(session);
}

beforeEach(async () => {
  adapter = new WatchedAdapter();
  module = await Test.createTestingModule({
    imports: [SessionsModule.forRoot({ adapter, pruning: false }), SessionsModule.forFeature(Sessions)],
  }).compile();
  await module.init();
  sessions = module.get(Sessions);
  store = module.get(SessionsRegistry).store(Sessions);
  const session = await sessions.create({ userId: 'ann', data: { step: 1 } });
  ({ id } = session);
  followed = new FollowedSession(store, session);
});
afterEach(async () => module.close());

it('is read again after a change, and when the database is to be asked, and else never', async () => {
  expect([await use(), await use(), adapter.reads]).toMatchObject([{ userId: 'ann' }, { userId: 'ann' }, 0]);
  await sessions.update({ id }, { userId: 'bob' });
  expect([await use(), adapter.reads]).toMatchObject([{ userId: 'ann' }, 0]);
  followed.changed();
  expect([await use(), await use(), adapter.reads]).toMatchObject([{ userId: 'bob' }, { userId: 'bob' }, 1]);
  expect([await use(true), adapter.reads]).toMatchObject([{ userId: 'bob' }, 2]);
});

it('is read once more where it has changed while it was read', async () => {
  followed.changed();
  adapter.meanwhile = () => followed.changed();
  for (let i = 0; i < 3; i++) await use();
  expect(adapter.reads).toBe(2);
});

it('shares nothing with its uses that they could change', async () => {
  const used = (await use())!;
  Object.assign(used.data as object, { step: 2 });
  expect(() => used.createdAt.setTime(0)).toThrow(DATE_FROZEN);
  expect(await use()).toMatchObject({ data: { step: 1 }, createdAt: (await sessions.get({ id }))!.createdAt });
});

it('shows a use what it was, whatever it becomes', async () => {
  const used = await followed.use({ headers: {} }, false);
  await sessions.update({ id }, { userId: 'bob' });
  followed.changed();
  expect(await use()).toMatchObject({ userId: 'bob' });
  expect(used).toMatchObject({ userId: 'ann' });
});

it('has no more in its uses than was read', async () => {
  const { data: _, ...without } = (await sessions.get({ id }))!;
  followed = new FollowedSession(store, without);
  expect(await use()).not.toHaveProperty('data');
});

it('is none once it has ended, and not read for that', async () => {
  await sessions.delete({ id });
  followed.changed();
  expect([await use(), await use(), adapter.reads]).toEqual([null, null, 1]);
  const other = await sessions.create({ userId: 'bob' });
  followed = new FollowedSession(store, other);
  followed.ended();
  expect([await use(), adapter.reads]).toEqual([null, 1]);
});
