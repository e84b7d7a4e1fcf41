import { Field, Mutation, ObjectType, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { APP_GUARD } from '@nestjs/core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Authoritative, CurrentSession, OptionalSession, Public, SessionGuard } from '@app/sessions';
import { ApiKeys, Sessions } from '../../guard/guarded-app.js';
import { describeDrivers, GraphqlApp } from './graphql-app.js';

/** As DataLoader does it: what is asked for before the tick ends is loaded together. */
class AuthorLoader {
  static readonly batches: number[] = [];
  static #waiting: (() => void)[] = [];

  static async load(): Promise<string> {
    return new Promise((resolve) => {
      if (this.#waiting.push(() => resolve('ann')) > 1) return;
      void Promise.resolve().then(() => process.nextTick(() => this.#dispatch()));
    });
  }

  static #dispatch(): void {
    this.batches.push(this.#waiting.length);
    for (const give of this.#waiting.splice(0)) give();
  }
}

@ObjectType()
class Note {
  @Field(() => String)
  id!: string;
}

@Resolver(() => Note)
class NotesResolver {
  constructor(private readonly sessions: Sessions) {}

  @Query(() => [Note])
  notes(): Note[] {
    return Array.from({ length: 20 }, (_, i) => ({ id: String(i) }));
  }

  @Public()
  @Query(() => [Note])
  publicNotes(): Note[] {
    return [{ id: '0' }];
  }

  @ResolveField(() => String)
  async author(): Promise<string> {
    return AuthorLoader.load();
  }

  @ResolveField(() => String)
  reader(@Parent() { id }: Note, @CurrentSession('userId') userId: string): string {
    return `${userId} of ${id}`;
  }

  @Public()
  @ResolveField(() => String)
  title(@CurrentSession('userId') userId?: string): string {
    return userId ?? 'nobody';
  }

  @Query(() => String)
  me(@CurrentSession('userId') userId: string): string {
    return userId;
  }

  @Public()
  @Query(() => String)
  version(@CurrentSession('userId') userId?: string): string {
    return userId ?? 'nobody';
  }

  @OptionalSession()
  @Query(() => String)
  home(@CurrentSession('userId') userId?: string): string {
    return userId ?? 'nobody';
  }

  @Authoritative()
  @Query(() => String)
  balance(): string {
    return '1';
  }

  @Mutation(() => String, { name: 'me' })
  meOfMutation(@CurrentSession('userId') userId: string): string {
    return userId;
  }

  @Public()
  @Mutation(() => String, { name: 'version' })
  versionOfMutation(@CurrentSession('userId') userId?: string): string {
    return userId ?? 'nobody';
  }

  @Mutation(() => [Note], { name: 'notes' })
  notesOfMutation(): Note[] {
    return this.notes();
  }

  @Mutation(() => String)
  async signOut(@CurrentSession('id') id: string): Promise<string> {
    await this.sessions.revokeAll({ id });
    return id;
  }
}

describeDrivers('the look-up of an operation', (driver) => {
  let app: GraphqlApp;
  let token: string;
  let id: string;
  beforeAll(async () => {
    app = await GraphqlApp.start(driver, {
      fieldGuards: true,
      tables: [Sessions, ApiKeys],
      providers: [NotesResolver, { provide: APP_GUARD, useClass: SessionGuard }],
    });
  });
  afterAll(() => app.guarded.close());
  beforeEach(async () => {
    ({ authToken: token, id } = await app.guarded.get(Sessions).create({ userId: 'ann' }));
    AuthorLoader.batches.length = 0;
  });

  const countOf = async (query: string | readonly string[], authToken = token) => {
    let body: unknown;
    const statements = await app.guarded.queries.countOf(async () => {
      ({ body } = await app.send(query, { authorization: `Bearer ${authToken}` }));
    });
    return { statements, body };
  };

  it('is one for the fields of a query, and for those inside them', async () => {
    expect(await countOf('{ a: me b: me home }')).toEqual({
      statements: 1,
      body: { data: { a: 'ann', b: 'ann', home: 'ann' } },
    });
    const { statements, body } = await countOf('{ notes { reader } again: notes { reader } me }');
    expect(statements).toBe(1);
    expect(body).toMatchObject({ data: { notes: { 7: { reader: 'ann of 7' } }, me: 'ann' } });
  });

  it('is one for the operations of a batch', async () => {
    expect(await countOf(['{ me }', '{ notes { reader } }', '{ home }'])).toMatchObject({ statements: 1 });
  });

  it('is none for what is public', async () => {
    expect(await countOf('{ version }')).toEqual({ statements: 0, body: { data: { version: 'nobody' } } });
  });

  it('is made again where the database is to be asked', async () => {
    expect(await countOf('{ me balance }')).toMatchObject({ statements: 2 });
    expect(await countOf('{ balance me }')).toMatchObject({ statements: 1 });
  });

  it('is one, and one refusal for each field, where the token does not hold', async () => {
    const refusals: unknown[] = [];
    app.guarded.get(Sessions).events.subscribe((event) => event.type === 'refused' && refusals.push(event.reason));
    const { statements, body } = await countOf('{ a: me b: me }', 'x'.repeat(64));
    expect(statements).toBe(1);
    expect(refusals).toEqual(['unknown']);
    const challenge = 'Bearer realm="api", error="invalid_token"';
    expect(body).toMatchObject({ errors: [{ extensions: { challenge } }] });
    const { body: optional } = await countOf('{ home version }', 'x'.repeat(64));
    expect(optional).toMatchObject({ errors: [{ path: ['home'], extensions: { challenge } }] });
  });

  it('leaves batches of DataLoader whole', async () => {
    await countOf('{ notes { author } }');
    expect(AuthorLoader.batches).toEqual([20]);
  });

  it('is made for each root field of a mutation, and shared by the fields inside it', async () => {
    const { statements, body } = await countOf('mutation { me notes { reader } }');
    expect(statements).toBe(2);
    expect(body).toMatchObject({ data: { me: 'ann', notes: { 3: { reader: 'ann of 3' } } } });
  });

  it('does not let a later field of a mutation ride on a session that an earlier one has ended', async () => {
    const { authToken } = await app.guarded.get(Sessions).create({ userId: 'bob' });
    const { body } = await app.send('mutation { signOut me }', { authorization: `Bearer ${authToken}` });
    expect(body).toMatchObject({ errors: [{ path: ['me'], extensions: { errorCode: 'ERR_SESSION_TOKEN_INVALID' } }] });
  });

  it('gives no public field the session of another field, whichever comes first', async () => {
    for (const operation of ['', 'mutation ']) {
      expect(await app.ask(`${operation}{ me version }`, token)).toEqual({ data: { me: 'ann', version: 'nobody' } });
      expect(await app.ask(`${operation}{ version me }`, token)).toEqual({ data: { me: 'ann', version: 'nobody' } });
    }
    expect(await app.ask('{ notes { id title reader } }', token)).toMatchObject({
      data: { notes: { 0: { title: 'nobody', reader: 'ann of 0' } } },
    });
    expect(await app.ask('{ publicNotes { title reader } }', token)).toEqual({
      data: { publicNotes: [{ title: 'nobody', reader: 'ann of 0' }] },
    });
    expect(id).toBeDefined();
  });

  it('guards a field inside a public one', async () => {
    expect(await app.ask('{ publicNotes { title } }')).toEqual({ data: { publicNotes: [{ title: 'nobody' }] } });
    expect(await app.ask('{ publicNotes { reader } }')).toMatchObject({
      errors: [{ path: ['publicNotes', 0, 'reader'], extensions: { errorCode: 'ERR_SESSION_REQUIRED' } }],
    });
  });
});
