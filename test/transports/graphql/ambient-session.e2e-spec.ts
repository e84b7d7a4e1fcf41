import { APP_GUARD } from '@nestjs/core';
import { Context, Query, Resolver } from '@nestjs/graphql';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CurrentSession, Public, SessionGuard, sessionOf } from '@app/sessions';
import { SessionContext, SessionContextModule } from '@app/sessions/context';
import { Sessions } from '../../guard/guarded-app.js';
import { answerOn, describeDrivers, GraphqlApp, socketClient } from './graphql-app.js';

@Resolver()
class Notes {
  constructor(private readonly current: SessionContext<Sessions>) {}

  @Query(() => String)
  me(@CurrentSession('userId') userId: string): string {
    return userId;
  }

  /** Whose session a field finds elsewhere than by `@CurrentSession()`. */
  @Public()
  @Query(() => [String])
  async around(@Context() context: { readonly req?: object }): Promise<string[]> {
    // Until the fields beside it have been looked at.
    await new Promise((resolve) => setImmediate(resolve));
    const { req } = context;
    const ofRequest = [req && Reflect.get(req, 'session'), sessionOf(req)] as readonly object[];
    return [...ofRequest, this.current.session].filter((session) => session).map(String);
  }
}

describeDrivers('what a field finds beside its own session', (driver) => {
  let app: GraphqlApp;
  let token: string;
  beforeAll(async () => {
    app = await GraphqlApp.start(driver, {
      tables: [Sessions],
      imports: [SessionContextModule],
      providers: [Notes, { provide: APP_GUARD, useClass: SessionGuard }],
      sockets: {},
    });
    ({ authToken: token } = await app.guarded.get(Sessions).create({ userId: 'ann' }));
  });
  afterAll(() => app.guarded.close());

  it('is no session of another field: not on the request, nor in SessionContext', async () => {
    for (const query of ['{ me around }', '{ around me }'])
      expect(await app.ask(query, token)).toEqual({ data: { me: 'ann', around: [] } });
    const client = socketClient(app, { params: { authorization: `Bearer ${token}` } });
    for (const query of ['{ me around }', '{ around me }'])
      expect(await answerOn(client, query)).toEqual({ data: { me: 'ann', around: [] } });
    await client.dispose();
  });
});
