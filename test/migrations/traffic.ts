import { setImmediate } from 'node:timers/promises';
import { Test, type TestingModule } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type QueryRunner } from 'typeorm';
import { SessionMark, SessionsModule, type SessionsModuleOptions, type SessionsService } from '@app/sessions';
import type { TableContext } from '../../libs/sessions/src/lifecycle/table-context.js';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import type { AnySessionsTable } from '../../libs/sessions/src/registry/sessions-table.js';
import type { TestDatabase } from '../support/databases.js';

/** The calls of an instance that traffic makes; the types of tables differ only in the names of their columns. */
type Calls = Pick<SessionsService, 'create' | 'authenticate' | 'revoke'> & {
  rotate(session: object): Promise<{ authToken: string } | null>;
  reauthenticate(session: object): Promise<{ authToken: string }>;
};

/** One instance of an application, on connections of its own. */
export class Instance {
  private constructor(
    private readonly module: TestingModule,
    private readonly of: AnySessionsTable,
    readonly sessions: Calls,
  ) {}

  static async start(
    database: TestDatabase,
    table: AnySessionsTable,
    options: SessionsModuleOptions = {},
  ): Promise<Instance> {
    const entities = [table.entity, SessionMark];
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ ...database.options, entities, synchronize: false, retryAttempts: 1 }),
        SessionsModule.forRoot({ pruning: false, ...options }),
        SessionsModule.forFeature(table),
      ],
    }).compile();
    await module.init();
    return new Instance(module, table, module.get(table));
  }

  get table(): TableContext {
    return this.module.get(SessionsRegistry).store(this.of);
  }

  /** A connection of its own. */
  holder(): QueryRunner {
    return this.module.get(DataSource).createQueryRunner();
  }

  async stop(): Promise<void> {
    await this.module.close();
  }
}

/** Requests of clients, each of which may meet any instance, and what their tokens must be from then on. */
export class Traffic {
  readonly valid = new Set<string>();
  /** Tokens of sessions that were revoked, and those that a new one has replaced for good. */
  readonly ended = new Set<string>();
  #instances: readonly Instance[] = [];
  #turn = 0;
  #round = 0;
  #isOn = false;
  #clients: Promise<void>[] = [];

  /** Lets so many clients make requests of these instances until {@link stop}. */
  start(instances: readonly Instance[], clients = 4): void {
    this.#instances = instances;
    this.#isOn = true;
    this.#clients = Array.from({ length: clients }, async () => {
      while (this.#isOn) await this.round();
    });
  }

  /** Waits until some more of them have come and gone. */
  async passes(): Promise<void> {
    const until = this.#round + 30;
    while (this.#round < until) await Promise.race([setImmediate(), ...this.#clients]);
  }

  /** From now on they meet these. */
  goOnWith(...instances: readonly Instance[]): void {
    this.#instances = instances;
  }

  async stop(): Promise<void> {
    this.#isOn = false;
    await Promise.all(this.#clients);
  }

  /** One client: signs in, comes back with other instances, and ends in one of four ways. */
  async round(instances = this.#instances): Promise<void> {
    const any = (): Calls => instances[this.#turn++ % instances.length]!.sessions;
    const { authToken } = await any().create({});
    const session = await found(any(), authToken);
    const way = this.#round++ % 4;
    if (way === 0) {
      await any().revoke(session as never);
      this.ended.add(authToken);
    } else if (way === 1) {
      const rotated = (await any().rotate(session))!;
      // Both, for a while.
      await found(any(), authToken);
      await found(any(), rotated.authToken);
      this.valid.add(rotated.authToken);
    } else if (way === 2) {
      const again = await any().reauthenticate(session);
      await found(any(), again.authToken);
      this.ended.add(authToken);
      this.valid.add(again.authToken);
    } else this.valid.add(authToken);
    for (const calls of instances.map((instance) => instance.sessions)) {
      if (way !== 1 && this.ended.has(authToken) && (await calls.authenticate(authToken)))
        throw new Error('A token that was replaced is valid again.');
    }
  }

  /** The tokens that an instance takes for something else than they are. */
  async wrong({ sessions }: Instance): Promise<string[]> {
    const wrong: string[] = [];
    for (const token of this.valid) if (!(await sessions.authenticate(token))) wrong.push(`lost ${token}`);
    for (const token of this.ended) if (await sessions.authenticate(token)) wrong.push(`revived ${token}`);
    return wrong;
  }
}

async function found(calls: Calls, authToken: string): Promise<object> {
  const session = await calls.authenticate(authToken);
  if (!session) throw new Error('A valid token was refused.');
  return session;
}
