/** Sources whose inferred declarations name what the library exports. */
export const SOURCES = {
  'user.ts': `
    export class User {
      id!: string;
    }
  `,
  'sessions.ts': `
    import { SessionGuard, SessionsTable } from 'nest-sessions';
    import { User } from './user.js';

    export class Bare extends SessionsTable({}) {}
    export class Sessions extends SessionsTable({
      table: 'sessions',
      extraFields: { userId: { type: 'string', index: true }, note: { type: 'text', nullable: true } },
    }) {}
    export class Keys extends SessionsTable({
      table: 'keys',
      scopes: ['posts:read', 'posts:write'],
      revocation: { reasons: ['fraud'] },
      extraFields: { userId: { type: 'string' } },
    }) {}
    export class Related extends SessionsTable({
      table: 'related',
      lastUse: { ip: true, userAgent: true },
      revocation: true,
      rotation: true,
      freshness: true,
      ownLimits: true,
      data: 'onDemand',
      sessionLimits: { userId: { max: 3 } },
      extraFields: {
        userId: { type: 'string' },
        count: { type: 'bigint', immutable: true },
        settings: { type: 'json', nullable: true },
        level: { type: 'enum', values: ['low', 'high'], default: 'low' },
        tags: { type: 'string', transformer: { to: (tags: string[]) => tags.join(), from: (text: string) => text.split(',') } },
        user: { manyToOne: () => User, joinColumn: 'userId' },
        users: { manyToMany: () => User },
      },
    }) {}
    export const Anonymous = SessionsTable({ table: 'anonymous' });

    export const entity = Keys.entity;
    export const relatedEntity = Related.entity;
    export const definition = Keys.definition;
    export const KeysGuard = SessionGuard.for(Keys);
    export const AnyGuard = SessionGuard.for(Sessions, Keys);
  `,
  'service.ts': `
    import { Injectable } from '@nestjs/common';
    import { RequireScopes, type ScopeOf, type SessionOf } from 'nest-sessions';
    import { Keys, Related } from './sessions.js';

    export const RequireKeyScopes = RequireScopes<ScopeOf<Keys>>;

    @Injectable()
    export class Service {
      constructor(private readonly keys: Keys, private readonly related: Related) {}

      create() {
        return this.keys.create({ userId: 'u1', scopes: ['posts:*'] });
      }
      find() {
        return this.related.get({ userId: 'u1' }, { relations: ['user'] });
      }
      list() {
        return this.keys.list({ userId: 'u1' }, { order: { createdAt: 'ASC' } });
      }
      query() {
        return this.related.query({ userId: 'u1' });
      }
      events() {
        return this.keys.events;
      }
      async change(key: SessionOf<Keys>) {
        const { scopes, revokedReason } = await this.keys.update(key, { scopes: [] });
        return { scopes, revokedReason, use: (await this.find())?.lastUsedAt };
      }
    }
  `,
};
