import { Test, type TestingModule } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  type InvalidationChannel,
  LiveSessions,
  MemoryAdapter,
  SessionMark,
  SessionsModule,
  SessionsTable,
} from '@app/sessions';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { describeStorages, useApplication } from '../support/application.js';
import { DAY, HOUR, MINUTE, TestClock } from '../support/clock.js';
import { createDatabase, describeDatabases, type TestDatabase } from '../support/databases.js';
import { LogCapture } from '../support/log-capture.js';
import { QueryLog } from '../support/query-log.js';
import { UNTIL_IT_HANGS } from '../support/until.js';

class Sessions extends SessionsTable({
  extraFields: { userId: { type: 'string', index: true } },
  sessionTtl: '1h',
  extendSessionStaleTime: '10m',
  absoluteTtl: '1d',
  revocation: true,
  rotation: true,
}) {}
class ApiKeys extends SessionsTable({ table: 'api_keys', sessionTtl: null }) {}

describeStorages('what stays open', (name) => {
  const app = useApplication(name, { tables: [Sessions, ApiKeys], options: { defaultTable: Sessions } });
  const sessions = () => app.get(Sessions);
  const live = () => app.get(LiveSessions);
  const held = (table: typeof Sessions | typeof ApiKeys = Sessions) => app.get(SessionsRegistry).store(table).held;

  /** A session with something open, and whether that has ended. */
  async function open(userId = 'u1') {
    const session = await sessions().create({ userId });
    const ended = vi.fn<() => void>();
    const hold = live().hold(session, ended);
    return { session, ended, hold };
  }

  it.each([
    ['revoke', (id: string) => sessions().revoke({ id })],
    ['revokeAll', () => sessions().revokeAll({ userId: 'u1' })],
    ['query().revoke', () => sessions().query({ userId: 'u1' }).revoke({ reason: 'signed_out' })],
    ['expire', (id: string) => sessions().expire({ id })],
    ['delete', (id: string) => sessions().delete({ id })],
    ['deleteAll', () => sessions().deleteAll({ userId: 'u1' })],
    ['signIn in its place', (id: string) => sessions().signIn({ userId: 'u1' }, { replaces: { id } })],
  ])('ends at once with its session, by %s (ASVS 7.4.1)', async (_, end) => {
    const { session, ended } = await open();
    const other = await open('u2');
    await end(session.id);
    await vi.waitFor(() => expect(ended).toHaveBeenCalledOnce(), UNTIL_IT_HANGS);
    await held().check();
    expect(ended).toHaveBeenCalledOnce();
    expect(other.ended).not.toHaveBeenCalled();
    other.hold.release();
    expect(live().count(Sessions)).toBe(0);
  });

  it('ends with the family of a token that is used again (RFC 9700, 4.14.2)', async () => {
    const { session, ended } = await open();
    await sessions().rotate(session);
    await held().check();
    expect(ended).not.toHaveBeenCalled();
    app.clock.advance(MINUTE);
    expect(await sessions().authenticate(session.authToken)).toBeNull();
    await vi.waitFor(() => expect(ended).toHaveBeenCalledOnce(), UNTIL_IT_HANGS);
  });

  it('ends at the end of its session, unless that was moved, and at the absolute one', async () => {
    const { session, ended } = await open();
    app.clock.advance(HOUR - MINUTE);
    await sessions().authenticate(session.authToken);
    app.clock.advance(2 * MINUTE);
    await held().check();
    expect(ended).not.toHaveBeenCalled();
    app.clock.advance(HOUR);
    await held().check();
    expect(ended).toHaveBeenCalledOnce();
    const endless = await app.get(ApiKeys).create({});
    const used = await open();
    const keyEnded = vi.fn<() => void>();
    live().for(ApiKeys).hold(endless, keyEnded);
    await sessions().update(used.session, { expiresAt: null });
    app.clock.advance(DAY);
    await held().check();
    await held(ApiKeys).check();
    expect(used.ended).toHaveBeenCalledOnce();
    expect(keyEnded).not.toHaveBeenCalled();
    await app.get(ApiKeys).delete(endless);
    await vi.waitFor(() => expect(keyEnded).toHaveBeenCalledOnce(), UNTIL_IT_HANGS);
  });

  it('ends where it is held after its session has ended', async () => {
    const session = await sessions().create({ userId: 'u1' });
    await sessions().revoke(session);
    const ended = vi.fn<() => void>();
    live().hold(session, ended);
    await vi.waitFor(() => expect(ended).toHaveBeenCalledOnce(), UNTIL_IT_HANGS);
  });

  it('is told of by an Observable, which lets go where nobody listens', async () => {
    const session = await sessions().create({ userId: 'u1' });
    const told: string[] = [];
    const listen = () =>
      live()
        .ended(session)
        .subscribe({ next: () => told.push('ended'), complete: () => told.push('complete') });
    const subscription = listen();
    expect(live().count()).toBe(1);
    subscription.unsubscribe();
    expect(live().count()).toBe(0);
    listen();
    await sessions().revoke(session);
    await vi.waitUntil(() => told.length > 0, UNTIL_IT_HANGS);
    expect(told).toEqual(['ended', 'complete']);
    expect(live().count()).toBe(0);
  });

  it('is told of by a signal', async () => {
    const session = await sessions().create({ userId: 'u1' });
    const signal = live().signal(session);
    expect(signal.aborted).toBe(false);
    await sessions().revoke(session);
    await vi.waitUntil(() => signal.aborted, UNTIL_IT_HANGS);
    expect(live().count()).toBe(0);
  });
});

describeDatabases('what is open for a session that is ended elsewhere', (name) => {
  let database: TestDatabase;
  const nodes: Node[] = [];
  beforeAll(async () => {
    database = await createDatabase(name);
    for (const channel of [CHANNEL, CHANNEL, undefined]) nodes.push(await Node.start(database, channel));
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await database.drop();
  });

  it('ends at once in a process that hears of it', async () => {
    const [here, there] = nodes as [Node, Node];
    await vi.waitUntil(() => here.store.changes.heard && there.store.changes.heard, UNTIL_IT_HANGS);
    const { ended, session } = await here.open();
    await there.sessions.revoke(session);
    await vi.waitFor(() => expect(ended).toHaveBeenCalledOnce(), UNTIL_IT_HANGS);
  });

  it('ends by the next check in one that does not, and where SQL has ended it', async () => {
    const [there, , here] = nodes as [Node, Node, Node];
    const [one, other] = [await here.open(), await here.open()];
    await there.sessions.revoke(one.session);
    expect(await here.queries.countOf(() => here.store.held.check())).toBe(1);
    expect(one.ended).toHaveBeenCalledOnce();
    expect(other.ended).not.toHaveBeenCalled();
    await here.dataSource.query('DELETE FROM sessions');
    await here.store.held.check();
    expect(other.ended).toHaveBeenCalledOnce();
  });

  it('costs no more than three statements for a thousand that are ended by one call', async () => {
    const [, , here] = nodes as [Node, Node, Node];
    const held = await Promise.all(Array.from({ length: 1000 }, () => here.open()));
    const count = await here.queries.countOf(async () => {
      expect(await here.sessions.revokeAll({ userId: 'u1' })).toBe(1000);
      await vi.waitUntil(() => held.every(({ ended }) => ended.mock.calls.length === 1), UNTIL_IT_HANGS);
    });
    expect(count).toBeLessThanOrEqual(3);
  });

  it('ends when the transaction is committed, and not before; where it is rolled back it stays', async () => {
    const [, , here] = nodes as [Node, Node, Node];
    const { ended, session } = await here.open();
    const undone = here.dataSource.transaction(async (manager) => {
      await here.sessions.revoke(session, { manager });
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    await here.store.held.check();
    expect(ended).not.toHaveBeenCalled();
    await here.dataSource.transaction(async (manager) => {
      await here.sessions.revoke(session, { manager });
      expect(ended).not.toHaveBeenCalled();
    });
    await vi.waitFor(() => expect(ended).toHaveBeenCalledOnce(), UNTIL_IT_HANGS);
  });

  it('adds no statement where nothing is open', async () => {
    const [, , here] = nodes as [Node, Node, Node];
    expect(here.store.held.count).toBe(0);
    const session = await here.sessions.create({ userId: 'u3' });
    here.queries.statements.length = 0;
    await here.sessions.authenticate(session.authToken);
    await here.sessions.revokeAll({ userId: 'u3' });
    await here.sessions.deleteAll({ userId: 'u3' });
    expect(here.queries.statements.filter((text) => !/RETURNING/i.test(text))).toHaveLength(3);
  });
});

describe('an outage', () => {
  it('ends nothing, and is told of once a minute', async () => {
    const database = await createDatabase('sqlite');
    const node = await Node.start(database, undefined);
    const { ended } = await node.open();
    await node.dataSource.query('ALTER TABLE sessions RENAME TO gone');
    for (let i = 0; i < 3; i++) await node.store.held.check();
    expect(ended).not.toHaveBeenCalled();
    expect(node.logs.matching(/stay open, because the database cannot be asked/)).toHaveLength(1);
    await node.dataSource.query('ALTER TABLE gone RENAME TO sessions');
    await node.store.held.check();
    expect(ended).not.toHaveBeenCalled();
    expect(node.store.held.count).toBe(1);
    await node.stop();
    await database.drop();
  });
});

describe('an answer that comes late', () => {
  /** Has what is asked for by now, and is answered when `late` is over. */
  class LateAdapter extends MemoryAdapter {
    late = Promise.resolve();
    override async execute(...query: Parameters<MemoryAdapter['execute']>): ReturnType<MemoryAdapter['execute']> {
      const { late } = this;
      const executed = await super.execute(...query);
      await late;
      return executed;
    }
  }

  it('ends nothing of a session that was extended meanwhile', async () => {
    const [adapter, clock] = [new LateAdapter(), new TestClock()];
    const module = await Test.createTestingModule({
      imports: [
        SessionsModule.forRoot({ adapter, clock: clock.read, pruning: false }),
        SessionsModule.forFeature(Sessions),
      ],
    }).compile();
    await module.init();
    const { held } = module.get(SessionsRegistry).store(Sessions);
    const session = await module.get(Sessions).create({ userId: 'u1' });
    const ended = vi.fn<() => void>();
    module.get(LiveSessions).hold(session, ended);
    clock.advance(HOUR - MINUTE);
    let answer = (): void => undefined;
    adapter.late = new Promise((resolve) => (answer = resolve));
    const check = held.check();
    adapter.late = Promise.resolve();
    await module.get(Sessions).authenticate(session.authToken);
    clock.advance(2 * MINUTE);
    answer();
    await check;
    expect(ended).not.toHaveBeenCalled();
    await module.close();
  });
});

/** Processes of one machine hear each other. */
const CHANNEL: InvalidationChannel = {
  async connect(heard) {
    LISTENERS.add(heard);
    return {
      publish: async (message) => LISTENERS.forEach((listener) => listener(message)),
      close: async () => void LISTENERS.delete(heard),
    };
  },
};
const LISTENERS = new Set<(message: string) => void>();

/** An application, one of several on a database. */
class Node {
  readonly queries = new QueryLog();
  readonly logs = new LogCapture();
  #module!: TestingModule;

  static async start(database: TestDatabase, channel: InvalidationChannel | undefined): Promise<Node> {
    const node = new Node();
    node.#module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({
          ...database.options,
          entities: [Sessions.entity, SessionMark],
          synchronize: true,
          logging: true,
          logger: node.queries,
        }),
        SessionsModule.forRoot({ clock: new TestClock().read, pruning: false, live: { check: '1h', channel } }),
        SessionsModule.forFeature(Sessions),
      ],
    })
      .setLogger(node.logs)
      .compile();
    await node.#module.init();
    return node;
  }

  get sessions(): Sessions {
    return this.#module.get(Sessions);
  }

  get dataSource(): DataSource {
    return this.#module.get(DataSource);
  }

  get store() {
    return this.#module.get(SessionsRegistry).store(Sessions);
  }

  async open() {
    const session = await this.sessions.create({ userId: 'u1' });
    const ended = vi.fn<() => void>();
    this.#module.get(LiveSessions).hold(session, ended);
    return { session, ended };
  }

  async stop(): Promise<void> {
    await this.#module.close();
  }
}
