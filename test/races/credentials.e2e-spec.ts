import { TypeOrmModule } from '@nestjs/typeorm';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SessionsModule, SessionsTable, StaleCredentialsError } from '@app/sessions';
import { Cluster, type Node } from '../support/cluster.js';
import { describeDatabases } from '../support/databases.js';
import { inRounds, rounds } from './rounds.js';

@Entity('users')
class User {
  @PrimaryColumn('uuid')
  id!: string;

  @Column({ type: 'varchar', length: 50 })
  password!: string;
}

const definition = {
  extraFields: {
    userId: { type: 'uuid', index: true },
    user: { manyToOne: () => User, joinColumn: 'userId', onDelete: 'CASCADE' },
  },
} as const;

class Owned extends SessionsTable({ ...definition, table: 'owned', owner: 'userId' }) {}
/** Whose sign-ins wait for each other whatever they say of their proof. */
class Limited extends SessionsTable({
  ...definition,
  table: 'limited',
  revocation: true,
  sessionLimits: { userId: { max: 20 } },
}) {}

const TABLES = { owned: Owned, limited: Limited };
const [OLD, NEW] = ['correct horse', 'battery staple'];
const LOG_INS = 6;
const AFTER_SKEW_MS = 3_600_000;
const NOW = Date.parse('2026-04-01T00:00:00.000Z');

/** The clock of the second node beside that of the first: as far as they may be apart, and a bit less. */
const SKEWS = [0, 999, -999];

describeDatabases('a change of the password', (name) => {
  let cluster: Cluster;
  beforeAll(async () => {
    const modules = [Owned, Limited].map((table) => SessionsModule.forFeature(table));
    cluster = await Cluster.start(name, 'owned', TypeOrmModule.forFeature([User]), ...modules);
  });
  afterAll(() => cluster.stop());
  beforeEach(() => setClocks(0));

  function setClocks(skew: number, ms = 0): void {
    const begin = Date.now();
    const read = (): number => NOW + ms + Date.now() - begin;
    cluster.nodes[0].clock = () => new Date(read());
    cluster.nodes[1].clock = () => new Date(read() + skew);
  }

  // Two transactions cannot be apart on the only connection of SQLite, which belongs to one process.
  const isServer = name !== 'sqlite';
  const node = (i: number): Node => cluster.nodes[isServer ? i % 2 : 0]!;
  // 200 in both tables.
  const ofSkew = Math.ceil(rounds(100) / SKEWS.length);
  const inTurns = async (count: number, round: (i: number) => Promise<void>): Promise<void> => {
    for (let i = 0; i < count; i++) await round(i);
  };
  const run = isServer ? inRounds : inTurns;

  describe.each(['owned', 'limited'] as const)('in the table %s', (table) => {
    const sessions = (i: number): Owned => node(i).get(TABLES[table]);

    /** Signs in, as an application does; null where the password is wrong, or was changed meanwhile. */
    async function signIn({ userId, password, slowness }: LogIn, i: number): Promise<string | null> {
      const provedAt = node(i).clock();
      const users = node(i).dataSource.getRepository(User);
      const user = await users.findOneByOrFail({ id: userId });
      // As long as it takes to compare a password.
      for (let n = 0; n < slowness; n++) await users.findOneByOrFail({ id: userId });
      if (user.password !== password) return null;
      return sessions(i)
        .signIn({ userId }, { provedAt })
        .then(({ authToken }) => authToken, nullIfStale);
    }

    /** Ends the other sessions first, so that who changes a user waits for nobody who begins a session of that user. */
    async function changePassword(userId: string, here: { id: string }, i: number): Promise<void> {
      const { dataSource } = node(i);
      await dataSource.transaction(isServer ? 'READ COMMITTED' : 'SERIALIZABLE', async (manager) => {
        expect(await manager.existsBy(User, { id: userId, password: OLD })).toBe(true);
        const options = { reason: 'credentials_changed', manager } as const;
        await sessions(i).revokeOthers(here, { userId }, options);
        const { affected } = await manager.update(User, { id: userId, password: OLD }, { password: NEW });
        expect(affected).toBe(1);
      });
    }

    it('is survived by no sign-in with the old one, however close (ASVS 7.4.3)', async () => {
      const users: string[] = [];
      const outcomes = { begun: 0, refused: 0 };
      for (const skew of SKEWS) {
        setClocks(skew);
        await run(ofSkew, async (i) => {
          const userId = uuidv7();
          await node(i).dataSource.getRepository(User).insert({ id: userId, password: OLD });
          const here = await sessions(i).create({ userId });
          const logIn = (_: unknown, n: number) => signIn({ userId, password: OLD, slowness: n % 4 }, n);
          const logIns = Array.from({ length: i % (LOG_INS + 1) }, logIn);
          const changed = changePassword(userId, here, i);
          logIns.push(...Array.from({ length: LOG_INS - logIns.length }, logIn));
          await changed;
          const tokens = (await Promise.all(logIns)).filter((token) => token !== null);
          outcomes.begun += tokens.length;
          outcomes.refused += LOG_INS - tokens.length;
          for (const token of tokens) expect(await sessions(i).authenticate(token)).toBeNull();
          expect(await sessions(i).list({ userId })).toMatchObject([{ id: here.id }]);
          users.push(userId);
        });
      }
      // Otherwise nothing has raced.
      expect(outcomes.refused).toBeGreaterThan(0);

      setClocks(0, AFTER_SKEW_MS);
      const again = users.map((userId, i) => signIn({ userId, password: NEW, slowness: 0 }, i));
      expect(await Promise.all(again)).not.toContain(null);
    });
  });
});

interface LogIn {
  readonly userId: string;
  readonly password: string;
  /** Round trips between the look at the password and the beginning of the session. */
  readonly slowness: number;
}

function nullIfStale(error: unknown): null {
  if (error instanceof StaleCredentialsError) return null;
  throw error;
}
