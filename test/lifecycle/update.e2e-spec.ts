import fc from 'fast-check';
import type { ColumnType } from 'typeorm';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type JsonValue,
  type SessionsService,
  SessionsTable,
  SessionValidationError,
  StaleSessionError,
} from '@app/sessions';
import { describeStorages, useApplication } from '../support/application.js';
import { at, DAY, MINUTE, SECOND, START } from '../support/clock.js';
import { errorOf } from '../support/sessions.js';

const FIELDS = { extraFields: { note: { type: 'string', nullable: true } } } as const;

class Sessions extends SessionsTable({ ...FIELDS, rotation: true, freshness: true, sessionTtl: '1h' }) {}
class OnDemand extends SessionsTable({ ...FIELDS, table: 'on_demand', data: 'onDemand' }) {}
class Cached extends SessionsTable({ ...FIELDS, table: 'cached', cache: { channel: null } }) {}
/** A table whose column is text to the database. */
class Text extends SessionsTable({ table: 'as_text', columns: { data: { type: 'simple-json', default: false } } }) {}
/** And one whose column is PostgreSQL's own type, where there is that. */
const binary = (type: ColumnType) => SessionsTable({ table: 'as_binary', columns: { data: { type } } });

const TOO_DEEP = { data: 'is larger, or nested deeper, than this database stores' };

describeStorages('changing parts of sessions', (name) => {
  class Binary extends binary(name === 'postgres' ? 'jsonb' : 'json') {}
  const tables = [Sessions, OnDemand, Cached, Text, Binary];
  const app = useApplication(name, { tables, options: { defaultTable: Sessions } });
  let sessions: Sessions;
  beforeAll(() => {
    sessions = app.get(Sessions);
  });

  describe('patchData', () => {
    it('takes what the object of the caller has in it by now, each time', async () => {
      const session = await sessions.create({});
      const changes = { step: 1 };
      await sessions.patchData(session, changes);
      changes.step = 2;
      expect((await sessions.patchData(session, changes)).data).toEqual({ step: 2 });
    });

    it('keeps what other requests change at the same time', async () => {
      const { authToken, id } = await sessions.create({ data: { old: 1 } });
      const seen = await Promise.all([sessions.authenticate(authToken), sessions.authenticate(authToken)]);
      await Promise.all([
        sessions.patchData(seen[0]!, { cart: ['shoe'] }),
        sessions.patchData(seen[1]!, { lang: 'de', old: undefined }),
      ]);
      expect(await sessions.dataOf({ id })).toEqual({ cart: ['shoe'], lang: 'de' });
    });

    it('stores a value nested as deep as the database can, or names data', async () => {
      const session = await sessions.create({});
      for (const depth of [20, 31, 32, 33, 99, 100, 101]) {
        let deep: JsonValue = 1;
        for (let i = 0; i < depth; i++) deep = [deep];
        const outcome = await sessions.patchData(session, { deep }).then(
          ({ data }) => data,
          ({ errors }: { errors?: unknown }) => errors,
        );
        expect([{ deep }, TOO_DEEP]).toContainEqual(outcome);
      }
    });

    it('replaces each key whole, stores null, and takes undefined away', async () => {
      const session = await sessions.create({ data: { deep: { a: 1 }, gone: 1, stays: [1, { b: null }], none: 1 } });
      const patched = await sessions.patchData(session, {
        deep: { b: 2 },
        gone: undefined,
        none: null,
        never: undefined,
      });
      expect(patched.data).toEqual({ deep: { b: 2 }, none: null, stays: [1, { b: null }] });
      expect(await sessions.get({ id: session.id })).toEqual(patched);
    });

    it.each(tables)('is what a spread of the data would be (%o)', async (table) => {
      const service = app.get<SessionsService>(table);
      const keys = fc.constantFrom('a', 'a.b', 'a"b', '', '0', '__proto__', '-', '$', '😀');
      const values = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constant(null));
      const cleaned = values.map((value): unknown => JSON.parse(JSON.stringify(value)));
      const data = fc.array(fc.tuple(keys, cleaned)).map((entries) => Object.fromEntries(entries));
      const changes = fc
        .array(fc.tuple(keys, fc.option(cleaned, { nil: undefined })))
        .map((entries) => Object.fromEntries(entries) as Record<string, never>);
      await fc.assert(
        fc.asyncProperty(data, changes, async (before, changed) => {
          const { id } = await service.create({ data: before });
          await service.patchData({ id }, changed);
          const expected = Object.entries({ ...before, ...changed }).filter(([, value]) => value !== undefined);
          expect(await service.dataOf({ id })).toEqual(Object.fromEntries(expected));
        }),
        { numRuns: 20 },
      );
    });

    it('leaves everything else alone, and the session valid', async () => {
      const session = await sessions.create({ note: 'n', data: { a: 1 } });
      app.clock.advance(SECOND);
      const patched = await sessions.patchData({ id: session.id }, { a: 2 });
      expect(patched).toEqual({ ...session, data: { a: 2 }, updatedAt: at(SECOND) });
      expect(await sessions.authenticate(session.authToken)).toEqual(patched);
    });

    it('shows no data where they are loaded on demand', async () => {
      const table = app.get(OnDemand);
      const session = await table.create({ note: 'n', data: { a: 1, b: 1 } });
      const patched = await table.patchData(session, { a: { c: 2 }, b: undefined });
      expect(patched).toMatchObject({ id: session.id, note: 'n' });
      expect(patched).not.toHaveProperty('data');
      expect(await table.dataOf(session)).toEqual({ a: { c: 2 } });
    });

    it('is seen at once by a table with a near cache', async () => {
      const table = app.get(Cached);
      const { authToken } = await table.create({ data: { a: 1 } });
      const seen = await table.authenticate(authToken);
      await table.patchData(seen!, { b: 2 });
      expect((await table.authenticate(authToken))?.data).toEqual({ a: 1, b: 2 });
    });

    it('names every key that cannot be stored, and writes nothing', async () => {
      const session = await sessions.create({ data: { a: 1 } });
      const wrong = { a: 2, big: 5n, 'x\0': 1, text: 'a\0', call: () => 1 };
      const error = await errorOf(sessions.patchData(session, wrong as never));
      expect(error).toBeInstanceOf(SessionValidationError);
      expect(Object.keys(error['errors'] as object)).toEqual(['data.big', 'data.x\0', 'data.text', 'data.call']);
      for (const changes of [null, undefined, [], 'a', 5])
        await expect(sessions.patchData(session, changes as never)).rejects.toThrow('data must be an object');
      expect(await sessions.get({ id: session.id })).toEqual(session);
    });

    it.each([undefined, null, 5, {}])('refuses the id %o', async (id) => {
      await expect(sessions.patchData({ id } as never, { a: 1 })).rejects.toThrow(SessionValidationError);
    });

    it('fails where the session is gone; of one that has ended it keeps the end', async () => {
      const session = await sessions.create({});
      await sessions.expire(session);
      expect(await sessions.patchData(session, { a: 1 })).toMatchObject({ data: { a: 1 }, isExpired: true });
      await sessions.delete(session);
      await expect(sessions.patchData(session, { a: 1 })).rejects.toThrow(StaleSessionError);
    });

    it.runIf(name !== 'memory')('is part of the transaction of its caller', async () => {
      const session = await sessions.create({ data: { a: 1 } });
      const rolledBack = app.manager.transaction(async (manager) => {
        await sessions.patchData(session, { a: 2 }, { manager });
        throw new Error('undone');
      });
      await expect(rolledBack).rejects.toThrow('undone');
      expect(await sessions.dataOf(session)).toEqual({ a: 1 });
    });
  });

  describe('update with ifUnchanged', () => {
    it('changes a session that is as it was read', async () => {
      const session = await sessions.create({ data: { a: 1 } });
      const first = await sessions.update(session, { data: { a: 2 } }, { ifUnchanged: true });
      const second = await sessions.update(first, { data: { a: 3 }, expiresAt: at(DAY) }, { ifUnchanged: true });
      expect(second).toMatchObject({ data: { a: 3 }, expiresAt: at(DAY) });
      const read = await sessions.authenticate(session.authToken);
      expect(await sessions.update(read!, { note: 'n' }, { ifUnchanged: true })).toMatchObject({ note: 'n' });
    });

    const CHANGES: Readonly<Record<string, (session: Awaited<ReturnType<Sessions['create']>>) => Promise<unknown>>> = {
      update: (session) => sessions.update(session, { note: 'theirs' }),
      'update of the same values': (session) => sessions.update(session, { data: session.data }),
      'update of nothing': (session) => sessions.update(session, {}),
      patchData: (session) => sessions.patchData(session, { theirs: 1 }),
      rotate: (session) => sessions.rotate(session),
      reauthenticate: (session) => sessions.reauthenticate(session),
      expire: (session) => sessions.expire(session),
      revoke: (session) => sessions.revoke(session),
      delete: (session) => sessions.delete(session),
      refresh: async (session) => {
        await sessions.update(session, { expiresAt: at(MINUTE) }, { extend: true });
        await sessions.refresh(session);
      },
    };

    it.each(Object.keys(CHANGES))('writes nothing after %s, however little time has passed', async (change) => {
      // The clock stands, or that of the node that changed it is late.
      for (const late of [0, -5 * SECOND, SECOND]) {
        app.clock.reset();
        const session = await sessions.create({ data: { a: 1 } });
        app.clock.advance(late);
        await CHANGES[change]!(session);
        const before = await sessions.list({ id: session.id, status: 'all' });
        for (const changes of [{ data: { a: 2 } }, { note: 'mine' }, { expiresAt: at(DAY) }]) {
          const error = await errorOf(sessions.update(session, changes, { ifUnchanged: true }));
          expect(error).toMatchObject({ code: 'ERR_SESSION_STALE', statusCode: 409, id: session.id });
        }
        expect(await sessions.list({ id: session.id, status: 'all' })).toEqual(before);
      }
    });

    it('passes with what each call gives back', async () => {
      const created = await sessions.create({});
      const rotated = await sessions.rotate(created);
      const reauthenticated = await sessions.reauthenticate(rotated!);
      const patched = await sessions.patchData(reauthenticated, { a: 1 });
      app.clock.advance(45 * MINUTE);
      const refreshed = await sessions.refresh(patched);
      const updated = await sessions.update(refreshed, { note: 'last' }, { ifUnchanged: true });
      expect(updated).toMatchObject({ note: 'last', data: { a: 1 }, updatedAt: at(45 * MINUTE + 1) });
    });

    it('needs to know when the session was read', async () => {
      const { id } = await sessions.create({});
      for (const updatedAt of [undefined, null, START.getTime(), START.toISOString()]) {
        const reference = { id, updatedAt } as never;
        const error = await errorOf(sessions.update(reference, { note: 'n' }, { ifUnchanged: true }));
        expect(error).toBeInstanceOf(SessionValidationError);
        expect(error['errors']).toEqual({ updatedAt: expect.stringContaining('ifUnchanged') });
      }
    });
  });
});
