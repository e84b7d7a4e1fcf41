import { beforeEach, expect, it } from 'vitest';
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
});

describeDatabases('the statements of writes at once', (name) => {
  const queries = new QueryLog();
  const app = useApplication(name, SETUP);
  beforeEach(() => {
    app.dataSource.setOptions({ logger: queries });
  });
  const isHere = name === 'sqlite';
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
