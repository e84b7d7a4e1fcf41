import { AsyncLocalStorage } from 'node:async_hooks';
import { IsNull } from 'typeorm';
import { beforeEach, describe, expect, it } from 'vitest';
import { JsonPath, SessionsTable, UnreadableRowError } from '@app/sessions';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { describeDatabases } from '../support/databases.js';
import { QueryLog } from '../support/query-log.js';
import { UNTIL_IT_HANGS } from '../support/until.js';
import { describeStorages, useApplication } from '../support/application.js';

/** An amount, as a class of the application's own. */
class Money {
  readonly #cents: number;

  constructor(cents: number) {
    this.#cents = cents;
  }

  get cents(): number {
    return this.#cents;
  }

  readonly format = (): string => `${this.cents} ct`;
}

/** Whose request it is: text is sealed, and opened, with the key of that tenant. */
const tenant = new AsyncLocalStorage<string>();
/** Who opened what: nobody's request, where that was done for several. */
const opened = new Set<string | undefined>();
const sealed = {
  to: (text: string | null) => text && `${tenant.getStore()}:${text}`,
  from: (stored: string | null) => {
    if (stored === null) return null;
    opened.add(tenant.getStore());
    const [sealedBy, text] = stored.split(':');
    if (sealedBy !== tenant.getStore()) throw new Error(`no key of ${sealedBy} for ${tenant.getStore()}`);
    return text!;
  },
};

const FIELDS = {
  number: { type: 'int', default: 0 },
  phone: { type: 'string', nullable: true, transformer: sealed },
  budget: {
    type: 'int',
    nullable: true,
    transformer: {
      to: (value: Money | null) => value && value.cents,
      from: (cents: number | null) => (cents === null ? null : new Money(cents)),
    },
  },
  avatar: {
    type: 'string',
    nullable: true,
    transformer: {
      to: (bytes: Buffer | null) => bytes && bytes.toString('base64'),
      from: (text: string | null) => (text === null ? null : Buffer.from(text, 'base64')),
    },
  },
} as const;

class Sessions extends SessionsTable({ extraFields: FIELDS, rotation: true }) {}
class Cached extends SessionsTable({
  table: 'cached',
  extraFields: FIELDS,
  rotation: true,
  cache: { ttl: '1h', channel: null },
}) {}

const MANY = 60;
const SETUP = { tables: [Sessions, Cached], options: { defaultTable: 'sessions' } };

const inTurn = Array.from({ length: MANY }, (_, number) => ({ number, by: `t${number}` }));

describeStorages('what transformers make', (name) => {
  const app = useApplication(name, SETUP);

  describe.each([
    ['by lookups', Sessions],
    ['by the near cache', Cached],
  ])('is found %s', (_, Table) => {
    const sessions = () => app.get(Table);

    it('by each of many requests at once, as it made it, and each its own', async () => {
      const bytes = Buffer.from([0, 255, 128]);
      const { authToken } = await sessions().create({ budget: new Money(250), avatar: bytes });
      for (let round = 0; round < 3; round++) {
        const found = await Promise.all(Array.from({ length: MANY }, () => sessions().authenticate(authToken)));
        for (const session of found) {
          expect(session!.budget).toBeInstanceOf(Money);
          expect(session!.budget!.format()).toBe('250 ct');
          expect(Buffer.isBuffer(session!.avatar)).toBe(true);
          expect(session!.avatar!.equals(bytes)).toBe(true);
          session!.avatar![0] = 7;
        }
        expect(new Set(found.map((session) => session!.budget)).size).toBe(MANY);
      }
    });

    it('in the asynchronous context of the request that asks', async () => {
      const tokens = await Promise.all(
        inTurn.map(({ number, by }) =>
          tenant.run(by, async () => (await sessions().create({ number, phone: `${number}` })).authToken),
        ),
      );
      for (let round = 0; round < 3; round++) {
        const found = await Promise.all(
          inTurn.map(({ number, by }) => tenant.run(by, async () => sessions().authenticate(tokens[number]))),
        );
        expect(found.map((session) => session!.phone)).toEqual(inTurn.map(({ number }) => `${number}`));
      }
      expect(opened.has(undefined)).toBe(false);
    });

    it('or not, which is an error of nobody else', async () => {
      const make = (by: string) => tenant.run(by, async () => (await sessions().create({ phone: '1' })).authToken);
      const tokens = await Promise.all(inTurn.map(({ number }) => make(number % 20 === 7 ? 'other' : 'mine')));
      for (let round = 0; round < 3; round++) {
        const outcomes = await tenant.run('mine', () =>
          Promise.allSettled(tokens.map(async (token) => sessions().authenticate(token))),
        );
        const failed = outcomes.flatMap((it) => (it.status === 'rejected' ? [it.reason as unknown] : []));
        expect(failed).toHaveLength(3);
        expect(new Set(failed).size).toBe(3);
        for (const error of failed) {
          expect(error).toBeInstanceOf(UnreadableRowError);
          expect(error).toMatchObject({ code: 'ERR_ROW_UNREADABLE', column: 'phone' });
          expect((error as Error).cause).toEqual(new Error('no key of other for mine'));
        }
      }
    });

    it('by tokens that were replaced', async () => {
      const created = await tenant.run('mine', () =>
        Promise.all(inTurn.map(({ number }) => sessions().create({ number, phone: '1', budget: new Money(number) }))),
      );
      await tenant.run('mine', () => Promise.all(created.map((session) => sessions().rotate(session))));
      const found = await tenant.run('mine', () =>
        Promise.all(created.map(({ authToken }) => sessions().authenticate(authToken))),
      );
      expect(found.map((session) => session!.budget!.cents)).toEqual(inTurn.map(({ number }) => number));
    });
  });
});

/** How often values were made storable: by a transformer, and as JSON. */
const made = { sealed: 0, json: 0 };

interface Note {
  readonly text: string;
  readonly read?: boolean;
}

class Counted extends SessionsTable({
  table: 'counted',
  extraFields: {
    secret: {
      type: 'string',
      transformer: {
        to: (text: string) => `${++made.sealed}:${text}`,
        from: (stored: string) => stored.slice(stored.indexOf(':') + 1),
      },
    },
    note: {
      type: 'json',
      nullable: true,
      transformer: {
        to: (note: Note | null) => note && { text: note.text },
        // What it is given is its own.
        from: (stored: Note | null): Note | null => stored && Object.assign(stored, { read: true }),
      },
    },
  },
}) {}

describeStorages('a value that is written', (name) => {
  const app = useApplication(name, { tables: [Counted] });
  const device = { toJSON: () => ({ count: ++made.json }) };
  beforeEach(() => void Object.assign(made, { sealed: 0, json: 0 }));

  it('is brought into its stored form once, by create and by update', async () => {
    const created = await app.get(Counted).create({ secret: 'a', data: { device } });
    expect(made).toEqual({ sealed: 1, json: 1 });
    expect(created.data).toEqual({ device: { count: 1 } });
    const updated = await app.get(Counted).update(created, { secret: 'b', data: { device } });
    expect(made).toEqual({ sealed: 2, json: 2 });
    expect(updated.secret).toBe('b');
    expect(await app.get(Counted).list()).toMatchObject([{ secret: 'b', data: { device: { count: 2 } } }]);
  });

  it('is not what a transformer makes of it', async () => {
    const created = await app.get(Counted).create({ secret: 'a', note: { text: 'b' } });
    expect(created.note).toEqual({ text: 'b', read: true });
    const { adapter, entity } = app.get(SessionsRegistry).store(Counted);
    const stored = adapter.prepare('all', entity, { where: { note: JsonPath(['read'], IsNull()) } });
    expect((await adapter.execute(stored)).count).toBe(1);
  });
});

describeDatabases('lookups that travel together', (name) => {
  const queries = new QueryLog();
  const app = useApplication(name, SETUP);
  const sessions = () => app.get(Sessions);
  beforeEach(() => {
    app.dataSource.setOptions({ logger: queries });
    queries.onQuery = undefined;
  });

  it('refuse nobody for a row that is no longer what was written', async () => {
    const created = await Promise.all(inTurn.map(({ number }) => sessions().create({ number })));
    const [table, column, key] = ['sessions', 'phone', 'number'].map((it) => app.quoted(it));
    await app.dataSource.query(`UPDATE ${table} SET ${column} = 'old' WHERE ${key} = 7`);
    const outcomes = await Promise.allSettled(created.map(async ({ authToken }) => sessions().authenticate(authToken)));
    const found = outcomes.map((it) => (it.status === 'fulfilled' ? it.value!.number : it.reason.message));
    const message = `Table "sessions": phone of the row with id ${created[7]!.id} cannot be read: no key of old for undefined`;
    expect(found).toEqual(inTurn.map(({ number }) => (number === 7 ? message : number)));
  });

  it.runIf(name !== 'sqlite')('do so in the asynchronous context of none of them', async () => {
    const tokens = await Promise.all(inTurn.map(async () => (await sessions().create({})).authToken));
    const contexts: unknown[] = [];
    queries.onQuery = (statement) => / IN \(| = ANY\(/.test(statement) && contexts.push(tenant.getStore());
    const look = async ({ number, by }: (typeof inTurn)[number]) => {
      for (let i = 0; i < 5; i++) await tenant.run(by, async () => sessions().authenticate(tokens[number]));
    };
    await Promise.all(inTurn.map(look));
    expect(contexts.length).toBeGreaterThan(5);
    expect(contexts).toEqual(contexts.map(() => undefined));
  });
});

describeDatabases('lookups by 1,200 keys', (name) => {
  class Keyed extends SessionsTable({
    extraFields: { number: { type: 'int' } },
    keys: Array.from({ length: 1200 }, (_, i) => ({ id: `k${i}`, secret: `${i}`.padStart(32, '-') })),
  }) {}
  // So many digests of each token take a slow machine long.
  const options = { lookUps: { timeout: UNTIL_IT_HANGS.timeout / 1000 } };
  const app = useApplication(name, { tables: [Keyed], options });

  it('find all of many at once', async () => {
    const tokens: string[] = [];
    for (let number = 0; number < 80; number++) tokens.push((await app.get(Keyed).create({ number })).authToken);
    const found = await Promise.all(tokens.map((token) => app.get(Keyed).authenticate(token)));
    expect(found.map((session) => session!.number)).toEqual(tokens.map((_, number) => number));
  });
});
