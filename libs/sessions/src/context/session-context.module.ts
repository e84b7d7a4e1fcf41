import { Global, Inject, Module, type NestModule } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { withBoxOf } from './current-box.js';
import { SessionContext } from './session-context.js';

/** The used part of Fastify. */
interface Fastify {
  addHook(name: 'preHandler', hook: (request: object, reply: unknown, done: () => void) => void): void;
}

/**
 * Gives every request its own context (AsyncLocalStorage) and makes `SessionContext` injectable everywhere. Import it
 * once.
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

  /** Before the guards: the handler loses a context that an asynchronous guard enters. */
  configure(): void {
    const { httpAdapter } = this.adapterHost;
    // On Fastify, bodies are parsed after the middlewares, and parsers may go on in another context.
    if (httpAdapter.getType() === 'fastify')
      httpAdapter.getInstance<Fastify>().addHook('preHandler', (request, _, done) => withBoxOf(request, done));
    else httpAdapter.use((request: object, _: unknown, next: () => void) => withBoxOf(request, next));
  }
}
