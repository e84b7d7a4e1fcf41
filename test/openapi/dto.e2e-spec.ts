import {
  ClassSerializerInterceptor,
  Controller,
  Get,
  type Type,
  SerializeOptions,
  UseInterceptors,
} from '@nestjs/common';
import { ApiOkResponse, ApiProperty, DocumentBuilder, PickType, SwaggerModule } from '@nestjs/swagger';
import { Test } from '@nestjs/testing';
import { Exclude, Expose, plainToInstance, Transform } from 'class-transformer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SessionsConfigError, type SessionOf, SessionsTable } from '@app/sessions';
import { SessionsTestingModule } from '@app/sessions/testing';
import { describePlatforms, HttpApp } from '../support/http-app.js';

class User {}

class Sessions extends SessionsTable({
  extraFields: {
    userId: { type: 'uuid' },
    name: { type: 'string', length: 20 },
    note: { type: 'text', nullable: true },
    visits: { type: 'int', default: 0 },
    total: { type: 'bigint', default: '0' },
    score: { type: 'number', nullable: true },
    trusted: { type: 'boolean', default: false },
    seenAt: { type: 'timestamp', nullable: true },
    settings: { type: 'json', nullable: true },
    level: { type: 'enum', values: ['low', 'high'], default: 'low' },
    tags: {
      type: 'string',
      nullable: true,
      transformer: { to: (x: string[] | null) => x?.join() ?? null, from: (x: string | null) => x?.split(',') ?? null },
    },
    user: { manyToOne: () => User, joinColumn: 'userId' },
  },
  scopes: ['posts:read'],
  revocation: { reasons: ['fraud'] },
  lastUse: { ip: true },
}) {}

class Bare extends SessionsTable({ table: 'bare', data: 'onDemand' }) {}

class Whole extends Sessions.dto() {}
class BareView extends Bare.dto() {}
class Picked extends Sessions.dto({ pick: ['expiresAt', 'id', 'name'] }) {}
class Omitted extends Bare.dto({ omit: ['updatedAt', 'isExpired'] }) {
  @ApiProperty()
  readonly isMine!: boolean;
}
class Narrowed extends PickType(Picked, ['id']) {}

/** As an application refines it. */
class Refined extends Sessions.dto({ pick: ['id', 'name', 'note'] }) {
  @Exclude()
  override readonly note!: string | null;

  @Transform(({ value }: { value: string }) => value.toUpperCase())
  override readonly name!: string;

  @Expose()
  get label(): string {
    return `${this.name}!`;
  }
}

@UseInterceptors(ClassSerializerInterceptor)
@Controller()
class Views {
  constructor(private readonly sessions: Sessions) {}

  @ApiOkResponse({ type: [Picked] })
  @SerializeOptions({ type: Picked })
  @Get('picked')
  async picked(): Promise<SessionOf<Sessions>[]> {
    return this.sessions.list();
  }

  @ApiOkResponse({ type: Refined })
  @Get('refined')
  async refined(): Promise<Refined> {
    return Refined.from((await this.sessions.list())[0]!);
  }

  @SerializeOptions({ type: Refined })
  @Get('refined-by-type')
  async refinedByType(): Promise<SessionOf<Sessions> | undefined> {
    return (await this.sessions.list())[0];
  }
}

/** The schemas of classes, as a document has them. */
async function schemasOf(...types: Type[]) {
  @Controller()
  class Empty {}
  const module = await Test.createTestingModule({ controllers: [Empty] }).compile();
  const app = module.createNestApplication();
  const { components } = SwaggerModule.createDocument(app, new DocumentBuilder().build(), { extraModels: types });
  return components!.schemas as Record<string, { properties: Record<string, object>; required: string[] }>;
}

describe('the class for answers, as OpenAPI has it', () => {
  const text = { type: 'string' };
  const time = { type: 'string', format: 'date-time' };
  const any = {
    anyOf: [
      { type: 'object' },
      { type: 'array', items: {} },
      ...['string', 'number', 'boolean'].map((type) => ({ type })),
    ],
  };
  const nullable = { nullable: true };

  it('has every field that a session shows, in its order, and no relation', async () => {
    const { Whole: schema } = await schemasOf(Whole);
    expect(schema!.properties).toEqual({
      id: { type: 'string', format: 'uuid' },
      userId: { type: 'string', format: 'uuid' },
      name: { ...text, maxLength: 20 },
      note: { ...text, ...nullable },
      visits: { type: 'integer' },
      total: text,
      score: { type: 'number', ...nullable },
      trusted: { type: 'boolean' },
      seenAt: { ...time, ...nullable },
      settings: { ...any, ...nullable },
      level: { ...text, enum: ['low', 'high'] },
      tags: { ...any, ...nullable },
      data: { type: 'object', additionalProperties: true },
      expiresAt: { ...time, ...nullable },
      createdAt: time,
      updatedAt: time,
      lastUsedAt: { ...time, ...nullable },
      lastUsedIp: { ...text, maxLength: 45, ...nullable },
      revokedAt: { ...time, ...nullable },
      revokedReason: { ...text, enum: expect.arrayContaining(['signed_out', 'fraud']), ...nullable },
      scopes: { type: 'array', items: text },
      isExpired: { type: 'boolean' },
    });
    expect(schema!.required).toEqual(Object.keys(schema!.properties));
  });

  it('has the fields that are picked, or not omitted, and those of its own', async () => {
    const schemas = await schemasOf(Picked, Omitted, BareView, Narrowed);
    const fieldsOf = (name: string): string[] => Object.keys(schemas[name]!.properties);
    expect(fieldsOf('Picked')).toEqual(['id', 'name', 'expiresAt']);
    expect(fieldsOf('BareView')).toEqual(['id', 'expiresAt', 'createdAt', 'updatedAt', 'isExpired']);
    expect(fieldsOf('Omitted').toSorted()).toEqual(['createdAt', 'expiresAt', 'id', 'isMine']);
    expect(fieldsOf('Narrowed')).toEqual(['id']);
  });

  it('refuses fields that no session shows, and options that there are not, with the nearest name', () => {
    const make = (options: object) => () => Sessions.dto(options);
    expect(make({ pick: ['nam'] })).toThrow(SessionsConfigError);
    expect(make({ pick: ['nam'] })).toThrow(
      'table "sessions": dto: "nam" is no field of its sessions (did you mean name?)',
    );
    expect(make({ omit: ['authTokenDigest'] })).toThrow('"authTokenDigest" is no field of its sessions');
    expect(make({ pick: ['user'] })).toThrow('"user" is no field of its sessions');
    expect(make({ pick: 'id' })).toThrow('dto: pick must be a list of texts');
    expect(make({ picks: ['id'] })).toThrow('picks is no option (did you mean pick?)');
  });
});

describe('the class for answers, made', () => {
  const session = {
    id: 'i',
    name: 'Ann',
    expiresAt: null,
    note: 'secret',
    data: { card: 1 },
  } as unknown as SessionOf<Sessions>;

  it('has the fields of a session that it is for, in their order, and is one of its class', () => {
    const view = Picked.from(session);
    expect(view).toBeInstanceOf(Picked);
    expect(JSON.stringify(view)).toBe('{"id":"i","name":"Ann","expiresAt":null}');
  });

  it('has no other where class-transformer fills it', () => {
    expect(JSON.stringify(plainToInstance(Picked, session))).toBe('{"id":"i","name":"Ann","expiresAt":null}');
    const [view] = plainToInstance(Picked, [session]);
    expect(view).toBeInstanceOf(Picked);
    expect(Object.keys(plainToInstance(Omitted, { ...session, isMine: true })).toSorted()).toEqual([
      'expiresAt',
      'id',
      'isMine',
    ]);
    const hostile = JSON.parse('{"id":"i","__proto__":{"name":"x"},"constructor":1,"toString":1}') as object;
    expect(Object.keys(plainToInstance(Picked, hostile))).toEqual(['id']);
  });
});

describePlatforms('answers of a class', (platform) => {
  let app: HttpApp;
  beforeAll(async () => {
    app = await HttpApp.start(platform, {
      imports: [SessionsTestingModule.forTables([Sessions])],
      controllers: [Views],
    });
    await app.nest
      .get(Sessions)
      .create({ userId: '0198a000-0000-7000-8000-000000000000', name: 'Ann', note: 'secret' });
  });
  afterAll(() => app.close());

  it('show what was picked, whichever way the class is named', async () => {
    const [picked] = (await app.get('/picked')).body as object[];
    expect(picked).toEqual({ id: expect.any(String), name: 'Ann', expiresAt: expect.any(String) });
    const refined = { id: expect.any(String), name: 'ANN', label: 'Ann!' };
    expect((await app.get('/refined')).body).toEqual(refined);
    expect(Object.keys((await app.get('/refined-by-type')).body as object).toSorted()).toEqual(['id', 'label', 'name']);
  });
});
