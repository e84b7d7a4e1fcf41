import { Global, Module } from '@nestjs/common';
import { SessionEvents } from '../events/session-events.js';
import { SessionCookies } from '../guard/session-cookies.js';
import { ExpiryJob } from './expiry.job.js';
import { DefaultSessions } from '../registry/default-sessions.js';
import { SessionsRegistry } from '../registry/sessions.registry.js';
import { SessionsService } from '../service/sessions.service.js';

/** What there is once in an application, however many tables are registered. */
@Global()
@Module({
  providers: [
    SessionEvents,
    SessionsRegistry,
    ExpiryJob,
    SessionCookies,
    {
      provide: SessionsService,
      useFactory: (registry: SessionsRegistry) => new DefaultSessions(registry),
      inject: [SessionsRegistry],
    },
  ],
  exports: [SessionCookies, SessionEvents, SessionsRegistry, SessionsService],
})
export class SessionsCoreModule {}
