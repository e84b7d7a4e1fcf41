import { beforeEach, expect, it, vi } from 'vitest';
import { SessionsTable, UniqueConstraintError } from '@app/sessions';
import { newId } from '../../libs/sessions/src/util/uuid.js';
import { describeStorages, useApplication } from '../support/application.js';
import { describeDatabases } from '../support/databases.js';
import { QueryLog } from '../support/query-log.js';

const MANY = 64;

let nextId: string | undefined;
const FIELDS = {
  extraFields: { number: { type: 'int', default: 0 } },
  columns: { id: { generate: () => nextId ?? newId(Date.now()) } },
  revocation: true,
  rotation: true,
} as const;
class Sessions extends SessionsTable(FIELDS) {}
class Apart extends SessionsTable({ ...FIELDS, table: 'apart', coalesceWrites: false }) {}
class Named extends SessionsTable({ table: 'named', extraFields: { name: { type: 'string', unique: true } } }) {}

const SETUP = { tables: [Sessions, Apart, Named], options: { defaultTable: 'sessions' } };

const each = <T>(make: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: MANY }, (_, i) => make(i)));

describeStorages('writes of many sessions at once', (name) => {
  const app = useApplication(name, SETUP);
  const sessions = (): Sessions => app.get(Sessions);
  const begin = () => each((number) => sessions().create({ number }));

  it('begin each session as it was asked for', async () => {
    const created = await begin();
    const found = await Promise.all(created.map(({ authToken }) => sessions().authenticate(authToken)));
    expect(found).toEqual(created.map((session) => ({ ...session })));
    expect(found.map((session) => session!.number)).toEqual(created.map((_, i) => i));
  });

  it('tell each caller of its own outcome', async () => {
    const created = await begin();
    const isOver = (i: number): boolean => i % 3 === 0;
    for (const session of created.filter((_, i) => isOver(i))) await sessions().revoke(session);
    const revoked = await Promise.all(created.map((session) => sessions().revoke(session, { reason: 'compromised' })));
    expect(revoked).toEqual(created.map((_, i) => !isOver(i)));
    expect(await sessions().count()).toBe(0);
    expect(await sessions().count({ status: 'revoked', revokedReason: 'compromised' })).toBe(
      revoked.filter(Boolean).length,
    );
  });

  it('give each session its own new token', async () => {
    const created = await begin();
    const rotated = await Promise.all(created.map((session) => sessions().rotate(session)));
    const found = await Promise.all(rotated.map((session) => sessions().authenticate(session!.authToken)));
    expect(found.map((session) => session!.id)).toEqual(created.map(({ id }) => id));
  });

  it('of one session are made one after the other: one of them ends it', async () => {
    const [session, ...others] = await begin();
    const revoked = await Promise.all(
      [...others, ...Array.from({ length: 10 }, () => session!)].map((one) => sessions().revoke(one)),
    );
    expect(revoked.filter(Boolean)).toHaveLength(MANY);
    const [again] = await begin();
    const rotated = await Promise.all(Array.from({ length: 10 }, () => sessions().rotate(again!)));
    expect(rotated.filter(Boolean)).toHaveLength(1);
  });

  it('are revocations that a rotation does not undo', async () => {
    const created = await begin();
    await Promise.all(
      created.flatMap((session) => [
        sessions()
          .rotate(session)
          .catch(() => null),
        sessions().revoke(session),
      ]),
    );
    expect(await sessions().count()).toBe(0);
  });

  it('fail for the caller alone whose row is refused', async () => {
    const taken = await sessions().create({ number: -1 });
    const outcomes = await Promise.allSettled(
      Array.from({ length: MANY }, (_, i) => {
        nextId = i === 20 ? taken.id : undefined;
        const creating = sessions().create({ number: i });
        nextId = undefined;
        return creating;
      }),
    );
    const failed = outcomes.flatMap((outcome, i) => (outcome.status === 'rejected' ? [[i, outcome.reason]] : []));
    expect(failed).toEqual([[20, expect.any(UniqueConstraintError)]]);
    expect(await sessions().count({ number: 20 })).toBe(0);
    expect(await sessions().count()).toBe(MANY);
  });

  it('fail for the caller alone whose change is refused', async () => {
    const named = app.get(Named);
    await named.create({ name: 'taken' });
    const all = await each((i) => named.create({ name: `${i}` }));
    const changing = all.map((session, i) => named.update(session, { name: i === 20 ? 'taken' : `new ${i}` }));
    const outcomes = await Promise.allSettled(changing);
    const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(reasons).toEqual([expect.any(UniqueConstraintError)]);
    const changed = outcomes.map((outcome) => outcome.status === 'fulfilled' && outcome.value.name);
    expect(changed).toEqual(all.map((_, i) => i !== 20 && `new ${i}`));
  });

  it('give each caller the session as it has changed that', async () => {
    const created = await begin();
    const changed = await Promise.all(created.map((session, i) => sessions().update(session, { number: i + MANY })));
    expect(changed.map(({ id, number }) => [id, number])).toEqual(created.map(({ id }, i) => [id, i + MANY]));
    const gone = created.filter((_, i) => i % 4 === 0);
    await Promise.all(gone.map((session) => sessions().expire(session)));
    const expired = await Promise.all(created.map((session) => sessions().expire(session)));
    expect(expired).toEqual(created.map((_, i) => i % 4 !== 0));
  });
});

describeDatabases('the statements of writes at once', (name) => {
  const queries = new QueryLog();
  const app = useApplication(name, SETUP);
  beforeEach(() => {
    app.dataSource.setOptions({ logger: queries });
  });
  const isHere = name === 'sqlite';
  const areJoint = name === 'postgres' || name === 'mariadb';
  const few = isHere ? MANY : MANY / 4;

  it('are few, and one for one that comes alone', async () => {
    const sessions = app.get(Sessions);
    expect(await queries.countOf(() => each(() => sessions.create({})))).toBeLessThanOrEqual(few);
    expect(await queries.countOf(() => sessions.create({}))).toBe(1);
  });

  it('are one for each where they are not to travel together, or may wait for others', async () => {
    expect(await queries.countOf(() => each(() => app.get(Apart).create({})))).toBe(MANY);
    expect(await queries.countOf(() => each((i) => app.get(Named).create({ name: `${i}` })))).toBe(MANY);
  });

  it.runIf(isHere)('share transactions on SQLite, unless they are not to travel together', async () => {
    const { databaseConnection } = app.dataSource.driver as { databaseConnection?: { transaction(): unknown } };
    const transaction = vi.spyOn(databaseConnection!, 'transaction');
    const transactionsOf = async (fn: () => Promise<unknown>): Promise<number> => {
      transaction.mockClear();
      await fn();
      return transaction.mock.calls.length;
    };
    const [sessions, apart] = [app.get(Sessions), app.get(Apart)];
    const [all, others] = [await each(() => sessions.create({})), await each(() => apart.create({}))];
    expect(await transactionsOf(() => each(() => sessions.create({})))).toBe(1);
    expect(await transactionsOf(() => each((i) => sessions.update(all[i]!, { number: i })))).toBe(1);
    expect(await transactionsOf(() => each((i) => sessions.revoke(all[i]!)))).toBe(1);
    expect(await transactionsOf(() => each((i) => apart.revoke(others[i]!)))).toBe(0);
    expect(await transactionsOf(() => each(() => apart.create({})))).toBe(0);
    const oneAfterTheOther = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) await sessions.create({});
    };
    expect(await transactionsOf(oneAfterTheOther)).toBe(0);
    transaction.mockRestore();
  });

  it.runIf(isHere)('go by themselves on SQLite where one of them undoes their transaction', async () => {
    const sessions = app.get(Sessions);
    await app.dataSource.query(
      `CREATE TRIGGER no_twenty BEFORE INSERT ON sessions WHEN NEW.number = 20 BEGIN SELECT RAISE(ROLLBACK, 'none'); END`,
    );
    try {
      const outcomes = await Promise.allSettled(
        Array.from({ length: MANY }, (_, number) => sessions.create({ number })),
      );
      expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual(outcomes.map((_, i) => i !== 20));
      expect(await sessions.count()).toBe(MANY - 1);
    } finally {
      await app.dataSource.query('DROP TRIGGER no_twenty');
    }
  });

  it.runIf(areJoint)('are few where sessions are changed', async () => {
    const [sessions, apart] = [app.get(Sessions), app.get(Apart)];
    const [all, others] = [await each(() => sessions.create({})), await each(() => apart.create({}))];
    const changes: ((table: Sessions, i: number) => Promise<unknown>)[] = [
      (table, i) => table.update(all[i]!, { number: i }),
      (table, i) => table.rotate(all[i]!),
      (table, i) => table.expire(all[i]!),
    ];
    for (const change of changes) {
      expect(await queries.countOf(() => each((i) => change(sessions, i)))).toBeLessThanOrEqual(few);
    }
    expect(await queries.countOf(() => each((i) => apart.update(others[i]!, { number: i })))).toBe(MANY);
    const [one] = await each(() => sessions.create({}));
    expect(await queries.countOf(() => sessions.revoke(one!))).toBe(1);
  });

  it.runIf(areJoint)('that fail for one row are one for each, and fail for its caller alone', async () => {
    const sessions = app.get(Sessions);
    const all = await each(() => sessions.create({}));
    await app.dataSource.query('ALTER TABLE sessions ADD CONSTRAINT no_twenty CHECK (number <> 20)');
    try {
      const changing = all.map((session, i) => sessions.update(session, { number: i }));
      const outcomes = await Promise.allSettled(changing);
      expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual(all.map((_, i) => i !== 20));
    } finally {
      await app.dataSource.query('ALTER TABLE sessions DROP CONSTRAINT no_twenty');
    }
  });

  it.runIf(areJoint)('are one for each where a new value may have to wait for another row', async () => {
    const named = app.get(Named);
    const all = await each((i) => named.create({ name: `${i}` }));
    const change = (i: number) => named.update(all[i]!, { name: `new ${i}` });
    expect(await queries.countOf(() => each(change))).toBe(MANY);
  });

  it.runIf(areJoint)('are one after the other for one session, in the order of the calls', async () => {
    const sessions = app.get(Sessions);
    const all = await each(() => sessions.create({}));
    const rounds = [1, 2, 3, 4];
    await Promise.all(
      rounds.flatMap((round) => all.map((session) => sessions.update(session, { number: round, data: { round } }))),
    );
    expect(await sessions.count({ number: rounds.at(-1)! })).toBe(MANY);
    await Promise.all(all.flatMap((session) => [sessions.expire(session), sessions.revoke(session)]));
    expect(await sessions.count({ status: 'revoked' })).toBe(0);
  });

  it.runIf(!isHere)('leave out a session that others have locked, and hold up no other', async () => {
    const sessions = app.get(Sessions);
    const all = await each((number) => sessions.create({ number }));
    const outcomes: boolean[] = [];
    let last: Promise<boolean> | undefined;
    await app.dataSource.transaction(async (manager) => {
      await sessions.update(all[30]!, { data: { step: 1 } }, { manager });
      const revoking = all.map((session) => sessions.revoke(session));
      last = revoking[30]!.finally(() => outcomes.push(false));
      expect(await Promise.all(revoking.filter((_, i) => i !== 30))).toEqual(
        Array.from({ length: MANY - 1 }, () => true),
      );
      expect(outcomes).toEqual([]);
    });
    expect(await last).toBe(true);
    expect(await sessions.count()).toBe(0);
  });
});
