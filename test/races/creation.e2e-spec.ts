import { afterAll, beforeAll, expect, it } from 'vitest';
import { SessionsModule, SessionsTable, UniqueConstraintError } from '@app/sessions';
import { Cluster } from '../support/cluster.js';
import { describeDatabases } from '../support/databases.js';

class Seats extends SessionsTable({ table: 'seats', extraFields: { seat: { type: 'string', unique: true } } }) {}

const PARALLEL = 100;

describeDatabases('100 sessions begun at once', (name) => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start(name, 'seats', SessionsModule.forFeature(Seats));
  });
  afterAll(() => cluster.stop());

  const seats = (i: number): Seats => cluster.nodes[i % 2]!.get(Seats);

  it('with the same unique field are one session, and a UniqueConstraintError for all others', async () => {
    const created = await Promise.allSettled(
      Array.from({ length: PARALLEL }, (_, i) => seats(i).create({ seat: '7a', data: { i } })),
    );
    const [winner, ...others] = created.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const reasons: unknown[] = created.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    expect(others).toEqual([]);
    expect(reasons.every((reason) => reason instanceof UniqueConstraintError && reason.columns[0] === 'seat')).toBe(
      true,
    );
    expect(await seats(0).list({ seat: '7a', status: 'all' })).toEqual([winner]);
  });

  it('are 100 sessions with 100 tokens otherwise, each found by its own', async () => {
    const created = await Promise.all(Array.from({ length: PARALLEL }, (_, i) => seats(i).create({ seat: `b${i}` })));
    const found = await Promise.all(created.map(({ authToken }, i) => seats(i + 1).authenticate(authToken)));
    expect(found.map((session) => session?.id)).toEqual(created.map(({ id }) => id));
    expect(new Set(created.map(({ authToken }) => authToken)).size).toBe(PARALLEL);
  });
});
