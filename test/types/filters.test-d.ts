import { And, Between, Equal, In, IsNull, LessThan, Like, MoreThan, Not, Or } from 'typeorm';
import { JsonPath, SessionsTable } from '@app/sessions';

class Sessions extends SessionsTable({
  extraFields: {
    userId: { type: 'string' },
    note: { type: 'text', nullable: true },
    int: { type: 'int' },
    bigint: { type: 'bigint' },
    boolean: { type: 'boolean' },
    seen: { type: 'timestamp', nullable: true },
    json: { type: 'json' },
    level: { type: 'enum', values: ['low', 'high'] },
    user: { manyToOne: () => class User {}, joinColumn: 'userId' },
  },
}) {}

declare const date: Date;
declare const level: 'low' | 'high';

export async function accepted(sessions: Sessions): Promise<void> {
  await sessions.list();
  await sessions.list({});
  await sessions.list({ userId: 'u1', note: null, int: 5, boolean: true, seen: date, level: 'low' });
  await sessions.list({ bigint: '5' });
  await sessions.list({ bigint: 5n });
  await sessions.list({ bigint: 5 });
  await sessions.list({ id: 'x', createdAt: date, updatedAt: MoreThan(date), expiresAt: null });
  await sessions.list({ status: 'all', authToken: 'x' });
  await sessions.list({ authToken: null });
  await sessions.list({ userId: In(['a', 'b']), note: IsNull(), int: Between(1, 2) });
  await sessions.list({ userId: Not('a'), note: Not(IsNull()), level: Not('low'), seen: Or(IsNull(), MoreThan(date)) });
  await sessions.list({ userId: Like('a%'), int: And(MoreThan(1), LessThan(5)), bigint: MoreThan('5') });
  await sessions.list({ bigint: MoreThan(5n), level: Equal(level), boolean: Equal(true), expiresAt: LessThan(date) });
  await sessions.list({ data: JsonPath(['a', 0], 'x'), json: JsonPath(['b'], MoreThan(1)) });
  await sessions.list([{ userId: 'a' }, { userId: 'b', status: 'expired' }]);
  await sessions.list({}, { order: { userId: 'ASC', createdAt: 'DESC' }, take: 1, skip: 1, relations: ['user'] });
  await sessions.list({}, { relations: { user: { team: true } } });
  await sessions
    .query({ userId: 'a' })
    .filterBy('int', MoreThan(1))
    .filterBy('status', 'all')
    .order({ id: 'ASC' })
    .one();
}

export async function refused(sessions: Sessions): Promise<void> {
  // @ts-expect-error no field
  await sessions.list({ wrong: 1 });
  // @ts-expect-error the digest is no field
  await sessions.list({ authTokenDigest: 'x' });
  // @ts-expect-error not stored; status says it
  await sessions.list({ isExpired: true });
  // @ts-expect-error a relation is filtered by its key
  await sessions.list({ user: { id: 'x' } });
  // @ts-expect-error a number for text
  await sessions.list({ userId: 5 });
  // @ts-expect-error text for a number
  await sessions.list({ int: '5' });
  // @ts-expect-error text for a date
  await sessions.list({ seen: '2026-01-01' });
  // @ts-expect-error not one of the values
  await sessions.list({ level: 'middle' });
  // @ts-expect-error an operator of another type
  await sessions.list({ userId: MoreThan(5) });
  // @ts-expect-error an operator of another type, inside another
  await sessions.list({ seen: Not(MoreThan('2026')) });
  // @ts-expect-error JSON is looked into, not compared as a whole
  await sessions.list({ data: { a: 1 } });
  // @ts-expect-error no status
  await sessions.list({ status: 'active' });
  // @ts-expect-error a token is text
  await sessions.list({ authToken: 5 });
  // @ts-expect-error filters are an object
  await sessions.list('u1');
  // @ts-expect-error filters have to be given, so that nothing is deleted by mistake
  await sessions.deleteAll();
  // @ts-expect-error as they have for one session
  await sessions.get();
  // @ts-expect-error no column
  await sessions.list({}, { order: { wrong: 'ASC' } });
  // @ts-expect-error no direction
  await sessions.list({}, { order: { userId: 'up' } });
  // @ts-expect-error no relation
  await sessions.list({}, { relations: ['wrong'] });
  // @ts-expect-error no field
  sessions.query().filterBy('wrong', 1);
  // @ts-expect-error a number for text
  sessions.query().filterBy('userId', 1);
}
