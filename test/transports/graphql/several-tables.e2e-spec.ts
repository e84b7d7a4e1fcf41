import { UseGuards } from '@nestjs/common';
import { Mutation, Query, Resolver } from '@nestjs/graphql';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CurrentSession, RequireScopes, SessionGuard, SessionsTable } from '@app/sessions';
import { ApiKeys, Sessions } from '../../guard/guarded-app.js';
import { describeDrivers, GraphqlApp } from './graphql-app.js';

class Machines extends SessionsTable({
  table: 'machines',
  credentials: [{ header: 'X-Machine' }],
  scopes: ['posts:read'],
}) {}

@Resolver()
class PostsResolver {
  @Query(() => String)
  version(): string {
    return '1';
  }

  @UseGuards(SessionGuard.for(Sessions, ApiKeys))
  @Mutation(() => String)
  reader(@CurrentSession('userId') userId: string): string {
    return userId;
  }

  @RequireScopes('posts:read')
  @UseGuards(SessionGuard.for(Machines))
  @Mutation(() => [String])
  posts(@CurrentSession('scopes') scopes: readonly string[]): readonly string[] {
    return scopes;
  }
}

describeDrivers('fields whose guards are for different tables', (driver) => {
  let app: GraphqlApp;
  beforeAll(async () => {
    app = await GraphqlApp.start(driver, {
      tables: [Sessions, ApiKeys, Machines],
      options: { defaultTable: 'sessions' },
      providers: [PostsResolver],
    });
  });
  afterAll(() => app.guarded.close());

  it.each(['mutation { reader posts }', 'mutation { posts reader }'])(
    'each have the scopes of their own table: %s',
    async (query) => {
      const { authToken } = await app.guarded.get(Sessions).create({ userId: 'ann' });
      const machine = await app.guarded.get(Machines).create({ scopes: ['posts:*'] });
      const { body } = await app.send(query, { authorization: `Bearer ${authToken}`, 'x-machine': machine.authToken });
      expect(body).toEqual({ data: { reader: 'ann', posts: ['posts:*'] } });
    },
  );
});
