/** An application of so many tables, each with its service, controller and module: typed, or with interfaces alone. */
export function sourcesOf(tables: number, typed: boolean): Map<string, string> {
  const numbers = Array.from({ length: tables }, (_, i) => i);
  const imports = numbers.map((i) => `import { Module${i} } from './table${i}.js';`);
  const modules = numbers.map((i) => `Module${i}`).join(', ');
  return new Map([
    ['user.ts', 'export class User {\n  readonly id!: string;\n}\n'],
    ...(typed ? [] : ([['loose.ts', LOOSE]] as const)),
    ...numbers.map((i) => [`table${i}.ts`, featureOf(i, typed)] as const),
    ['main.ts', `${imports.join('\n')}\nexport const MODULES = [${modules}];\n`],
  ]);
}

/** The extra fields of the tables: name, definition and type. */
const FIELDS = [
  ['deviceName', "{ type: 'string', nullable: true }", 'string | null'],
  ['visits', "{ type: 'int', default: 0 }", 'number'],
  ['level', "{ type: 'enum', values: ['low', 'high'], default: 'low' }", "'low' | 'high'"],
  ['seenAt', "{ type: 'timestamp', nullable: true }", 'Date | null'],
  ['trusted', "{ type: 'boolean', default: false }", 'boolean'],
  ['notes', "{ type: 'json', nullable: true }", 'unknown'],
] as const;

/** The options of the tables, and the columns that they make. */
const OPTIONS = [
  ['revocation: true', 'readonly revokedAt: Date | null; readonly revokedReason: string | null'],
  ['rotation: true', 'readonly rotatedAt: Date | null'],
  ['lastUse: { ip: true }', 'readonly lastUsedAt: Date | null; readonly lastUsedIp: string | null'],
  ['freshness: true', 'readonly authenticatedAt: Date | null'],
  ["scopes: ['posts:read', 'posts:write']", "readonly scopes: readonly ('posts:read' | 'posts:write')[]"],
  ["revocation: { reasons: ['fraud'] }", "readonly revokedAt: Date | null; readonly revokedReason: 'fraud' | null"],
] as const;

/** A service as those have it who know no types of fields. */
const LOOSE = `
export interface LooseQuery {
  filter(filters: object): LooseQuery;
  count(): Promise<number>;
}
export declare class LooseSessions {
  create(attributes: object): Promise<any>;
  list(filters?: object, options?: object): Promise<any[]>;
  count(filters?: object): Promise<number>;
  get(filters: object): Promise<any>;
  update(session: { readonly id: string }, changes: object): Promise<any>;
  revoke(session: { readonly id: string }, options?: object): Promise<boolean>;
  query(filters?: object): LooseQuery;
}
`;

function definitionOf(i: number): string {
  const fields = fieldsOf(i).map(([name, definition]) => `${name}: ${definition},`);
  return `{
  table: 'sessions_${i}',
  ${OPTIONS[i % OPTIONS.length]![0]},
  extraFields: {
    userId${i}: { type: 'uuid', index: true },
    ${fields.join('\n    ')}
    user: { manyToOne: () => User, joinColumn: 'userId${i}' },
  },
}`;
}

function typedTable(i: number): string {
  return `
import { type NewSessionOf, type SessionOf, SessionsTable } from 'nest-sessions';
export class Sessions${i} extends SessionsTable(${definitionOf(i)}) {}
type Session = SessionOf<Sessions${i}>;
type New = NewSessionOf<Sessions${i}>;`;
}

function looseTable(i: number): string {
  const fields = fieldsOf(i).map(([name, , type]) => [name, type] as const);
  return `
import { InjectSessions, type SessionsTableDefinition } from 'nest-sessions';
import { LooseSessions } from './loose.js';
const definition: SessionsTableDefinition = ${definitionOf(i)};
export interface Session {
  readonly id: string;
  data: Record<string, unknown>;
  expiresAt: Date | null;
  readonly isExpired: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  ${OPTIONS[i % OPTIONS.length]![1]};
  userId${i}: string;
  ${fields.map(([name, type]) => `${name}: ${type};`).join('\n  ')}
  user?: User | null;
}
export interface New {
  data?: Record<string, unknown>;
  expiresAt?: Date | null;
  userId${i}: string;
  ${fields.map(([name, type]) => `${name}?: ${type};`).join('\n  ')}
}`;
}

function fieldsOf(i: number): (typeof FIELDS)[number][] {
  return [0, 1, 2, 3].map((next) => FIELDS[(i + next) % FIELDS.length]!);
}

function featureOf(i: number, typed: boolean): string {
  const injected = typed
    ? `private readonly sessions: Sessions${i}`
    : `@InjectSessions('sessions_${i}') private readonly sessions: LooseSessions`;
  return `
import { Body, Controller, Delete, Get, Injectable, Module, Param, Post, UseGuards } from '@nestjs/common';
import { In, MoreThan, Not } from 'typeorm';
import { CurrentSession, SessionGuard, SessionsModule } from 'nest-sessions';
import { User } from './user.js';
${typed ? typedTable(i) : looseTable(i)}

@Injectable()
export class Service${i} {
  constructor(${injected}) {}

  async begin(userId: string): Promise<string> {
    const attributes: New = { userId${i}: userId };
    const session = await this.sessions.create(attributes);
    return session.authToken;
  }
  devices(userId: string): Promise<Session[]> {
    const recent = MoreThan(new Date(0));
    return this.sessions.list({ userId${i}: userId, createdAt: recent }, { order: { createdAt: 'DESC' }, take: 20 });
  }
  several(ids: string[]): Promise<number> {
    return this.sessions.count([{ userId${i}: In(ids), status: 'all' }, { id: Not('x') }]);
  }
  async touch(id: string): Promise<Session | null> {
    const session = await this.sessions.get({ id });
    return session && this.sessions.update(session, { data: { touched: true } });
  }
  async end(session: Session): Promise<number> {
    await this.sessions.revoke(session, { reason: 'signed_out' });
    return this.sessions.query({ userId${i}: session.userId${i} }).filter({ status: 'all' }).count();
  }
}

@UseGuards(SessionGuard.for(${typed ? `Sessions${i}` : 'definition'}))
@Controller('sessions${i}')
export class Controller${i} {
  constructor(private readonly service: Service${i}) {}

  @Post()
  async begin(@Body() { userId }: { userId: string }): Promise<{ token: string }> {
    return { token: await this.service.begin(userId) };
  }
  @Get()
  list(@CurrentSession() session: Session): Promise<Session[]> {
    return this.service.devices(session.userId${i});
  }
  @Get(':id')
  async show(@Param('id') id: string): Promise<{ id: string; at: string }> {
    const session = await this.service.touch(id);
    return { id: session?.id ?? '', at: session?.createdAt.toISOString() ?? '' };
  }
  @Delete()
  end(@CurrentSession() session: Session): Promise<number> {
    return this.service.end(session);
  }
}

@Module({
  imports: [SessionsModule.forFeature(${typed ? `Sessions${i}` : 'definition'})],
  providers: [Service${i}],
  controllers: [Controller${i}],
})
export class Module${i} {}
`;
}
