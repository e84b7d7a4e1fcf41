import { Global, Inject, Module, type NestModule } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { withBoxOf } from './current-box.js';
import { SessionContext } from './session-context.js';

/** The part of Fastify that is used here. */
interface Fastify {
  addHook(name: 'preHandler', hook: (request: object, reply: unknown, done: () => void) => void): void;
}

/**
 * Gives every request of the application a context of its own (AsyncLocalStorage), and makes `SessionContext` injectable
 * everywhere. To be imported once.
 *
 * @example
 * ```ts
 * @Module({ imports: [SessionsModule.forFeature(Sessions), SessionContextModule] })
 * export class AppModule {}
 * ```
 */
@Global()
@Module({ providers: [SessionContext], exports: [SessionContext] })
export class SessionContextModule implements NestModule {
  constructor(@Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost) {}

  /** Before the guards, since what an asynchronous guard enters is lost in the handler. */
  configure(): void {
    const { httpAdapter } = this.adapterHost;
    // On Fastify what reads a body comes after the middlewares, and may go on in another context.
    if (httpAdapter.getType() === 'fastify')
      httpAdapter.getInstance<Fastify>().addHook('preHandler', (request, _, done) => withBoxOf(request, done));
    else httpAdapter.use((request: object, _: unknown, next: () => void) => withBoxOf(request, next));
  }
}
