import { EventEmitter, once } from 'node:events';
import {
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  Catch,
  type ExceptionFilter,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import {
  CurrentSession,
  RequireScopes,
  SessionEvents,
  SessionGuard,
  type SessionOf,
  SessionsTable,
  sessionOf,
} from '@app/sessions';
import { SessionsTestingModule } from '@app/sessions/testing';
import { HttpApp } from '../../support/http-app.js';
import { UNTIL_IT_HANGS } from '../../support/until.js';
import { describePlatforms, type TestSocket } from './test-sockets.js';

class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string' } }, scopes: ['ban'] }) {}

type Session = SessionOf<Sessions>;

/** What messages wait for between the guard and their handlers. */
let gate: EventEmitter;
/** How many of them do. */
let waiting: number;
/** What handlers and filters got. */
let seen: (Session | undefined)[];

@Injectable()
class Gate implements CanActivate {
  async canActivate(): Promise<boolean> {
    waiting++;
    await once(gate, 'open');
    return true;
  }
}

/** Takes the token of each message from its data, as for a relay of many users. */
@Injectable()
class RelayGuard extends SessionGuard {
  protected override getCall(context: ExecutionContext) {
    const { token } = context.getArgByIndex<{ readonly token: string }>(1);
    return { request: { headers: { authorization: `Bearer ${token}` } } };
  }
}

/** Takes the token of a message from its data, if it has one. */
@Injectable()
class OnBehalfGuard extends SessionGuard {
  protected override getCall(context: ExecutionContext) {
    const { token } = context.getArgByIndex<{ readonly token?: string }>(1);
    const call = super.getCall(context);
    return token === undefined ? call : { ...call, request: { headers: { authorization: `Bearer ${token}` } } };
  }
}

/** Gives the session a field more. */
@Injectable()
class NamingGuard extends SessionGuard {
  protected override authorize(_: ExecutionContext, session: object): void {
    Object.assign(session, { userId: 'named' });
  }
}

@Injectable()
class Unpacking implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler) {
    context.getArgs<unknown[]>()[1] = { unpacked: true };
    return next.handle();
  }
}

@Catch()
class Seeing implements ExceptionFilter {
  catch(_: unknown, host: ArgumentsHost): void {
    seen.push(sessionOf<Sessions>(host));
  }
}

describePlatforms('the session of a message', (platform) => {
  @WebSocketGateway()
  @UseFilters(Seeing)
  class Gateway {
    @UseGuards(SessionGuard, Gate)
    @SubscribeMessage('step')
    step(@CurrentSession() session: Session, @CurrentSession('data') data: object, @MessageBody() step: unknown): void {
      Object.assign(data, { step });
      seen.push(session);
    }

    @UseGuards(RelayGuard, Gate)
    @SubscribeMessage('relayed')
    relayed(@CurrentSession() session: Session): void {
      seen.push(session);
    }

    @UseGuards(OnBehalfGuard)
    @SubscribeMessage('onBehalf')
    onBehalf(@CurrentSession('userId') userId: string): object {
      return platform.answer(userId);
    }

    @UseGuards(NamingGuard)
    @SubscribeMessage('named')
    named(@CurrentSession('userId') userId: string): object {
      return platform.answer(userId);
    }

    @UseGuards(SessionGuard)
    @UseInterceptors(Unpacking)
    @SubscribeMessage('packed')
    packed(@CurrentSession('userId') userId: string): object {
      return platform.answer(userId);
    }

    @UseGuards(SessionGuard)
    @SubscribeMessage('fail')
    fail(): never {
      throw new Error('failed');
    }

    @RequireScopes('ban')
    @UseGuards(SessionGuard)
    @SubscribeMessage('ban')
    ban(): void {}
  }

  let app: HttpApp;
  let sessions: Sessions;
  let socket: TestSocket;
  let id: string;
  beforeEach(async () => {
    [gate, waiting, seen] = [new EventEmitter(), 0, []];
    const module = { imports: [SessionsTestingModule.forTables([Sessions])], providers: [Gateway] };
    app = await HttpApp.start('express', module, {
      prepare: (nest) => nest.useWebSocketAdapter(platform.adapter(nest)),
    });
    sessions = app.nest.get(Sessions);
    const session = await sessions.create({ userId: 'ann', scopes: [] });
    ({ id } = session);
    socket = platform.open(app.port, '/', { headers: { authorization: `Bearer ${session.authToken}` } });
  });
  afterEach(async () => {
    socket.close();
    await app.close();
  });

  const haveArrived = async (count: number) => vi.waitFor(() => expect(waiting).toBe(count), UNTIL_IT_HANGS);
  const haveSeen = async (count: number) => vi.waitFor(() => expect(seen).toHaveLength(count), UNTIL_IT_HANGS);

  it.each([
    ['text', '1', '2'],
    ['an object', { at: 1 }, { at: 2 }],
  ])('is its own, whatever handlers do to it while others are under way, with %s', async (_, first, second) => {
    socket.send('step', first);
    socket.send('step', second);
    await haveArrived(2);
    gate.emit('open');
    await haveSeen(2);
    expect(seen[0]).not.toBe(seen[1]);
    expect(seen[0]!.data).not.toBe(seen[1]!.data);
  });

  it('is as it was when the guard let the message through', async () => {
    socket.send('step', { at: 1 });
    await haveArrived(1);
    await sessions.update({ id }, { userId: 'bob' });
    socket.send('step', { at: 2 });
    await haveArrived(2);
    gate.emit('open');
    await haveSeen(2);
    expect(seen.map((session) => session?.userId)).toEqual(['ann', 'bob']);
  });

  it('is that of its own token, if a guard takes the tokens of messages', async () => {
    for (const userId of ['eve', 'bob']) {
      const { authToken: token } = await sessions.create({ userId });
      socket.send('relayed', { token });
      await haveArrived(userId === 'eve' ? 1 : 2);
    }
    gate.emit('open');
    await haveSeen(2);
    expect(seen.map((session) => session?.userId)).toEqual(['eve', 'bob']);
  });

  it('is that of the socket again after a message with a token of its own', async () => {
    const { authToken: token } = await sessions.create({ userId: 'bob' });
    for (const [data, userId] of [
      [{ token }, 'bob'],
      [{}, 'ann'],
      [{ token }, 'bob'],
      [{}, 'ann'],
    ] as const)
      expect(await socket.ask('onBehalf', data)).toBe(userId);
  });

  it('is the one that a guard has authorized', async () => {
    for (const data of ['x', { at: 1 }]) expect(await socket.ask('named', data)).toBe('named');
  });

  it('is there when an interceptor replaces the data', async () => {
    for (const data of ['x', { at: 1 }]) expect(await socket.ask('packed', data)).toBe('ann');
  });

  it('reaches filters, unless the guard has refused the message', async () => {
    for (const [before, event] of ['fail', 'ban', 'fail'].entries()) {
      socket.send(event, { at: 1 });
      await haveSeen(before + 1);
    }
    expect(seen.map((session) => session?.userId)).toEqual(['ann', undefined, 'ann']);
  });

  it('does not change by what listeners do to that of an event', async () => {
    await socket.ask('packed');
    app.nest
      .get(SessionEvents)
      .only('used')
      .subscribe(({ session }) => Object.assign(session, { userId: 'changed' }));
    for (let i = 0; i < 2; i++) expect(await socket.ask('packed')).toBe('ann');
  });
});
