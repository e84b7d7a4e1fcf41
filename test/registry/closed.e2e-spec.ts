import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LiveSessions, SessionMark, SessionsModule, SessionsTable } from '@app/sessions';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { createDatabase, describeDatabases, type TestDatabase } from '../support/databases.js';

class Sessions extends SessionsTable({ lastUse: true, revocation: true, rotation: true }) {}

const APPLICATIONS = 5;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describeDatabases('an application that is closed', (name) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase(name);
  });
  afterAll(() => database.drop());

  /** Starts one that uses what the library has, and closes it while much of that is open. */
  async function startAndClose(listener: () => void): Promise<WeakRef<object>> {
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ ...database.options, entities: [Sessions.entity, SessionMark], synchronize: true }),
        SessionsModule.forRoot({ cache: { ttl: '1m', ...(name !== 'postgres' && { channel: null }) } }),
        SessionsModule.forFeature(Sessions),
      ],
    }).compile();
    await module.init();
    const sessions = module.get(Sessions);
    const session = await sessions.create({});
    await sessions.authenticate(session.authToken);
    await sessions.rotate(session);
    const live = module.get(LiveSessions);
    live.hold(session, listener);
    SIGNALS.push(live.signal(session));
    live.signal(session).addEventListener('abort', listener);
    await module.close();
    return new WeakRef(module.get(SessionsRegistry));
  }

  /** What the application keeps for longer than it runs. */
  const SIGNALS: AbortSignal[] = [];

  it('is left to the collection of garbage, with all that it had open', async () => {
    const closed: WeakRef<object>[] = [];
    for (let i = 0; i < APPLICATIONS; i++) closed.push(await startAndClose(() => {}));
    await setImmediate();
    collectGarbage();
    // The last one may be in a register or on the stack.
    expect(closed.filter((registry) => registry.deref()).length).toBeLessThanOrEqual(1);
  });
});
