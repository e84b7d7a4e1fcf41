import { Test } from '@nestjs/testing';
import { In, Not } from 'typeorm';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type EctoAdapter,
  MemoryAdapter,
  param,
  SessionsModule,
  type SessionsService,
  SessionsTable,
  SessionValidationError,
  TypeOrmAdapter,
} from '@app/sessions';
import { inTable } from '../../libs/sessions/src/errors/messages.js';
import { noIdentifier } from '../../libs/sessions/src/table/messages.js';
import { describeStorages, useApplication } from '../support/application.js';
import { at } from '../support/clock.js';
import { errorOf } from '../support/sessions.js';

/** What every object has by itself; for the compiler an object that leaves such a name out has it too, so here it is not asked. */
class Inherited extends SessionsTable({
  table: 'constructor',
  extraFields: {
    constructor: { type: 'string', nullable: true },
    toString: { type: 'string' },
    valueOf: { type: 'int', default: 7 },
    hasOwnProperty: { type: 'json', nullable: true },
    isPrototypeOf: { type: 'timestamp', nullable: true },
    propertyIsEnumerable: { type: 'boolean', nullable: true },
    toLocaleString: { type: 'bigint', nullable: true, immutable: true },
  },
  owner: 'toString',
  sessionLimits: { toString: { max: 2 } } as never,
  data: 'onDemand',
}) {}

const GIVEN = {
  constructor: 'Ferrari',
  toString: 'u1',
  valueOf: 3,
  hasOwnProperty: { constructor: 1 },
  isPrototypeOf: at(1),
  propertyIsEnumerable: false,
  toLocaleString: '5',
};

const LEFT_OUT = {
  constructor: null,
  toString: 'u2',
  valueOf: 7,
  hasOwnProperty: null,
  isPrototypeOf: null,
  propertyIsEnumerable: null,
  toLocaleString: null,
};

describeStorages('fields with names that every object has', (name) => {
  const app = useApplication(name, { tables: [Inherited], options: { cache: { channel: null } } });
  let sessions: SessionsService;
  const adapter = (): EctoAdapter => (name === 'memory' ? new MemoryAdapter() : new TypeOrmAdapter(app.dataSource));
  beforeAll(() => {
    sessions = app.get<SessionsService>(Inherited as never);
  });

  it('keep what they are given, in every call', async () => {
    const { authToken, ...created } = await sessions.create(GIVEN);
    expect(created).toMatchObject(GIVEN);
    expect(await sessions.authenticate(authToken)).toMatchObject(GIVEN);
    expect(await sessions.authenticate(authToken)).toMatchObject(GIVEN);
    const { toLocaleString: _immutable, ...changes } = { ...GIVEN, constructor: 'Lada', valueOf: -1 };
    expect(await sessions.update(created, changes)).toMatchObject({ ...GIVEN, ...changes });
    expect(await sessions.list({ constructor: In(['Lada']), toString: 'u1', valueOf: Not(0) } as never)).toHaveLength(
      1,
    );
    expect(await sessions.list({}, { order: { constructor: 'ASC' } as never })).toMatchObject([
      { constructor: 'Lada' },
    ]);
    expect(await sessions.revokeAll({ toString: 'u1' } as never)).toBe(1);
  });

  it('are null, or have their default, where nothing is given', async () => {
    const { authToken, ...created } = await sessions.create({ toString: 'u2' });
    expect(created).toMatchObject(LEFT_OUT);
    expect(await sessions.authenticate(authToken)).toMatchObject(LEFT_OUT);
  });

  it('count for limits and changed credentials', async () => {
    for (let i = 0; i < 3; i++) await sessions.create({ toString: 'u3' });
    expect(await sessions.count({ toString: 'u3' } as never)).toBe(2);
    const changed = (filters: never) => sessions.revokeAll(filters, { reason: 'credentials_changed' });
    expect(await changed({ toString: 'u3' } as never)).toBe(2);
    expect(await errorOf(changed({} as never))).toBeInstanceOf(SessionValidationError);
  });

  it('are named where they are missing, wrong or immutable', async () => {
    expect(await errorOf(sessions.create({}))).toMatchObject({ errors: { toString: 'is required' } });
    const wrong = { toString: 'u', constructor: 5, valueOf: 'x' };
    expect(Object.keys((await errorOf(sessions.create(wrong)))['errors'] as object)).toEqual([
      'constructor',
      'valueOf',
    ]);
    const session = await sessions.create(GIVEN);
    const change = sessions.update(session, { toLocaleString: '6' });
    expect(await errorOf(change)).toMatchObject({ errors: { toLocaleString: 'is immutable' } });
  });

  it('stand for parameters that have to be given', async () => {
    const { entity } = Inherited;
    const byParam = adapter().prepare('all', entity, { where: { constructor: param('constructor') } });
    await expect(adapter().execute(byParam, {})).rejects.toMatchObject({ errors: { constructor: expect.any(String) } });
  });
});

describe('a field named __proto__', () => {
  class Refused extends SessionsTable({ extraFields: { ['__proto__']: { type: 'string' } } }) {}

  it('is refused at the start, since no object that is written down has it', async () => {
    const module = Test.createTestingModule({
      imports: [SessionsModule.forRoot({ adapter: new MemoryAdapter() }), SessionsModule.forFeature(Refused)],
    });
    await expect(module.compile().then((app) => app.init())).rejects.toThrow(
      inTable('sessions', noIdentifier('__proto__')),
    );
  });
});
