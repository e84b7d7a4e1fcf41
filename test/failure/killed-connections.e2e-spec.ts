import { setTimeout as pause } from 'node:timers/promises';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import { Test, type TestingModule } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  type SessionOf,
  SessionsModule,
  SessionsTable,
  SessionsUnavailableError,
  StaleSessionError,
} from '@app/sessions';
import { ExpiryJob } from '../../libs/sessions/src/module/expiry.job.js';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { inRounds, rounds } from '../races/rounds.js';
import { createDatabase, SERVERS, type TestDatabase } from '../support/databases.js';
import { LogCapture } from '../support/log-capture.js';
import { UNTIL_IT_HANGS } from '../support/until.js';

class Sessions extends SessionsTable({
  extraFields: { userId: { type: 'string', index: true }, note: { type: 'int', default: 0 } },
  owner: 'userId',
  sessionLimits: { userId: { max: 2 } },
  rotation: true,
  revocation: true,
  lastUse: true,
}) {}

type Session = SessionOf<Sessions> & { readonly authToken: string };

/** How a server lists the connections of an application, and ends one. */
const KILL = {
  postgres: {
    all: 'SELECT pid AS id FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    end: (id: number) => `SELECT pg_terminate_backend(${id})`,
  },
  mariadb: {
    all: 'SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()',
    end: (id: number) => `KILL ${id}`,
  },
  mysql: {
    all: `SELECT processlist_id AS id FROM performance_schema.threads
      WHERE processlist_db = database() AND processlist_id <> connection_id()`,
    end: (id: number) => `KILL ${id}`,
  },
} as const;

/** The longest pause between two of them, in milliseconds. */
const LONGEST_PAUSE_MS = 10;

/** What is drawn is the same in every run: who is in whose way is not. */
const SEED = 7;

const STEPS_OF_A_ROUND = 10;

/** Numbers from 0 to less than 1, the same ones for a seed (mulberry32). */
function drawnBy(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function oneOf<T>(list: readonly T[], draw: () => number): T {
  return list[Math.floor(draw() * list.length)]!;
}

/** What a call gave, that it could not be answered, or that its session had ended. Any other error is a fault. */
type Outcome = { readonly result: unknown } | 'unavailable' | 'ended';

async function outcomeOf(call: Promise<unknown>): Promise<Outcome> {
  try {
    return { result: await call };
  } catch (error) {
    if (error instanceof SessionsUnavailableError) return 'unavailable';
    if (error instanceof StaleSessionError) return 'ended';
    throw error;
  }
}

const answered = (result: unknown): Outcome => ({ result });
const resultOf = (outcome: Outcome): unknown => (typeof outcome === 'object' ? outcome.result : undefined);

/** What a session may be. */
interface State {
  readonly isValid: boolean;
  readonly note: number;
}

interface Call {
  readonly sessions: Sessions;
  readonly dataSource: DataSource;
  readonly session: Session;
  readonly note: number;
}

/** What a request does with its session. */
interface Step {
  readonly call: (given: Call) => Promise<unknown>;
  /** What it makes of the session. Default: nothing. */
  readonly makes?: (state: State, note: number) => State;
  /** Whether a session like that explains the outcome. Default: any does. */
  readonly fits?: (state: State, outcome: Outcome) => boolean;
}

const ended = (state: State): State => ({ ...state, isValid: false });
const noted = (state: State, note: number): State => ({ ...state, note });
const isFoundIn = ({ isValid, note }: State, outcome: Outcome): boolean =>
  (resultOf(outcome) as Session | null)?.note === (isValid ? note : undefined);
const isValidIn = ({ isValid }: State, outcome: Outcome): boolean => (outcome !== 'ended') === isValid;

const LOOK_UP: Step = {
  call: ({ sessions, session: { authToken } }) => sessions.authenticate(authToken),
  fits: isFoundIn,
};

const STEPS: readonly Step[] = [
  LOOK_UP,
  { call: ({ sessions, session: { id } }) => sessions.get({ id }), fits: isFoundIn },
  { call: ({ sessions, session }) => sessions.refresh(session), fits: isValidIn },
  { call: ({ sessions, session, note }) => sessions.update(session, { note }), makes: noted },
  { call: ({ sessions, session, note }) => sessions.patchData(session, { note }) },
  {
    makes: noted,
    call: ({ sessions, dataSource, session, note }) => {
      const faults: unknown[] = [];
      const transaction = dataSource.transaction(async (manager) => {
        await sessions.update(session, { note }, { manager }).catch((error: unknown) => {
          faults.push(error);
          throw error;
        });
      });
      // The other errors are TypeORM's, of its own statements.
      return transaction.catch(() => {
        throw faults[0] ?? new SessionsUnavailableError('sessions', 'in a transaction');
      });
    },
  },
  { call: ({ sessions, session }) => sessions.rotate(session), fits: isValidIn },
  {
    call: ({ sessions, session }) => sessions.revoke(session),
    makes: ended,
    fits: ({ isValid }, outcome) => resultOf(outcome) === isValid,
  },
  {
    call: ({ sessions, session: { userId } }) => sessions.revokeAll({ userId }, { reason: 'credentials_changed' }),
    makes: ended,
    fits: ({ isValid }, outcome) => resultOf(outcome) === Number(isValid),
  },
  { call: ({ sessions }) => sessions.deleteExpired() },
];

describe.each(SERVERS)('an application whose connections are ended at random, on %s', (type) => {
  let database: TestDatabase;
  let module: TestingModule;
  let other: DataSource;
  const stray = vi.fn<(error: unknown) => void>();
  beforeAll(async () => {
    database = await createDatabase(type);
    const options = {
      ...database.options,
      poolSize: 8,
      autoLoadEntities: true,
      synchronize: true,
    } as TypeOrmModuleOptions;
    module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot(options),
        SessionsModule.forRoot({ pruning: false }),
        SessionsModule.forFeature(Sessions),
      ],
    })
      .setLogger(new LogCapture())
      .compile();
    await module.init();
    other = await new DataSource(database.options).initialize();
    process.on('uncaughtException', stray).on('unhandledRejection', stray);
  });
  afterAll(async () => {
    process.off('uncaughtException', stray).off('unhandledRejection', stray);
    await other.destroy();
    await module.close();
    await database.drop();
  });

  /** Ends one connection after the other while `work` is done. */
  async function killing(work: () => Promise<void>): Promise<void> {
    const { all, end } = KILL[type];
    const draw = drawnBy(SEED);
    const over = new AbortController();
    const kills = (async () => {
      while (!over.signal.aborted) {
        await pause(draw() * LONGEST_PAUSE_MS);
        const connections = await other.query<{ id: number }[]>(all);
        // It may have ended by itself.
        if (connections.length > 0) await other.query(end(oneOf(connections, draw).id)).catch(() => undefined);
      }
    })();
    try {
      await work();
    } finally {
      over.abort();
      await kills;
    }
  }

  it('answers each call by its result or a SessionsUnavailableError, and what it says is done is done', async () => {
    const sessions = module.get(Sessions);
    const dataSource = module.get(DataSource);
    const store = module.get(SessionsRegistry).store();
    let refused = 0;
    /** Sessions, and what each of them may be at the end. */
    const known: (readonly [Session, readonly State[]])[] = [];

    async function signIn(userId: string, replaces: Session | null = null): Promise<Session | undefined> {
      const outcome = await outcomeOf(sessions.signIn({ userId }, { replaces }));
      if (outcome === 'unavailable') refused++;
      return resultOf(outcome) as Session | undefined;
    }

    const round = async (i: number): Promise<void> => {
      const draw = drawnBy(i);
      const userId = `user ${i}`;
      let session = await signIn(userId);
      if (!session) return;
      let states: readonly State[] = [{ isValid: true, note: 0 }];
      for (let note = 1; note <= STEPS_OF_A_ROUND; note++) {
        const { call, makes = (state: State) => state, fits = () => true } = oneOf(STEPS, draw);
        const outcome = await outcomeOf(call({ sessions, dataSource, session, note }));
        const before = states;
        const made = before.filter((state) => outcome === 'unavailable' || fits(state, outcome));
        expect(made, `what explains ${JSON.stringify(outcome)} after ${JSON.stringify(before)}`).not.toEqual([]);
        states = [...(outcome === 'unavailable' ? before : []), ...made.map((state) => makes(state, note))];
        const { authToken } = (resultOf(outcome) ?? {}) as Partial<Session>;
        if (authToken) session = resultOf(outcome) as Session;
      }
      const successor = await signIn(userId, session);
      const count = await outcomeOf(sessions.count({ userId }));
      // The one has taken the place of the other, or nothing has happened.
      const counts: Outcome[] = [1, ...(successor || states.every(({ isValid }) => isValid) ? [] : [0])].map(answered);
      expect(['unavailable', ...counts], `sessions of a user after ${JSON.stringify(states)}`).toContainEqual(count);
      if (successor) known.push([successor, [{ isValid: true, note: 0 }]]);
      known.push([session, [...(successor ? [] : states), ...states.map(ended)]]);
    };

    await killing(async () => {
      const pruning = inRounds(ROUNDS, async () => module.get(ExpiryJob).run(store));
      await Promise.all([inRounds(ROUNDS, round), pruning]);
    });

    expect(refused).toBeGreaterThan(0);
    const works = (): Promise<unknown> =>
      Promise.all(Array.from({ length: 16 }, () => sessions.create({ userId: 'somebody' })));
    await vi.waitFor(works, UNTIL_IT_HANGS);
    for (const [session, states] of known) {
      const outcome = await outcomeOf(LOOK_UP.call({ sessions, dataSource, session, note: 0 }));
      expect(
        states.filter((state) => isFoundIn(state, outcome)),
        `what explains ${JSON.stringify(outcome)} at the end, of ${JSON.stringify(states)}`,
      ).not.toEqual([]);
    }
    expect(stray.mock.calls).toEqual([]);
  });
});

const ROUNDS = rounds(400);
