import { type SessionOf, SessionsTable } from '@app/sessions';
import type { Equal, Expect } from './expect-type.js';

class User {
  readonly name!: string;
}

class Sessions extends SessionsTable({
  extraFields: {
    userId: { type: 'string' },
    note: { type: 'string', nullable: true },
    user: { manyToOne: () => User, joinColumn: 'userId' },
  },
}) {}

class Picked extends Sessions.dto({ pick: ['id', 'note', 'expiresAt'] }) {
  readonly isMine?: boolean;
}
class Omitted extends Sessions.dto({ omit: ['data', 'note'] }) {}
class Both extends Sessions.dto({ pick: ['id', 'note'], omit: ['note'] }) {}

declare const session: SessionOf<Sessions>;

export type Fields = [
  Expect<Equal<keyof Picked, 'id' | 'note' | 'expiresAt' | 'isMine'>>,
  Expect<Equal<Picked['note'], string | null>>,
  Expect<Equal<Picked['expiresAt'], Date | null>>,
  Expect<Equal<Extract<keyof Omitted, 'userId' | 'note' | 'data' | 'user' | 'isExpired'>, 'userId' | 'isExpired'>>,
  Expect<Equal<keyof Both, 'id'>>,
];

export const views: unknown[] = [Picked.from(session).isMine, Omitted.from(session), new Picked()];

// @ts-expect-error no session
export const none = Picked.from({ id: 'id' });
// @ts-expect-error no field of the table
Sessions.dto({ pick: ['nte'] });
// @ts-expect-error a relation
Sessions.dto({ pick: ['user'] });
// @ts-expect-error no field that a session shows
Sessions.dto({ omit: ['authTokenDigest'] });
// @ts-expect-error no option
Sessions.dto({ picks: ['id'] });
