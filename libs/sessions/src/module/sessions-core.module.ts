import { Global, Module } from '@nestjs/common';
import { SessionEvents } from '../events/session-events.js';
import { SessionCookies } from '../guard/session-cookies.js';
import { STUB_GUARD } from '../guard/stub-guards.js';
import { SessionsMetrics } from '../metrics/sessions-metrics.js';
import { ExpiryJob } from './expiry.job.js';
import { DefaultSessions } from '../registry/default-sessions.js';
import { LiveSessions } from '../registry/live-sessions.js';
import { REPLACED_ADAPTER } from '../registry/inject-sessions.js';
import { ANY_COPY } from '../registry/one-set-up.js';
import { SessionsRegistry } from '../registry/sessions.registry.js';
import { SessionsService } from '../service/sessions.service.js';
import { TransportWarnings } from './transport-warnings.js';
import { UnavailableFilter } from './unavailable.filter.js';

/** The providers that an application has once, however many tables it registers. */
@Global()
@Module({
  providers: [
    SessionEvents,
    SessionsMetrics,
    SessionsRegistry,
    ExpiryJob,
    UnavailableFilter,
    TransportWarnings,
    SessionCookies,
    LiveSessions,
    { provide: ANY_COPY, useValue: true },
    { provide: REPLACED_ADAPTER, useValue: null },
    { provide: STUB_GUARD, useValue: null },
    {
      provide: SessionsService,
      useFactory: (registry: SessionsRegistry) => new DefaultSessions(registry),
      inject: [SessionsRegistry],
    },
  ],
  exports: [
    ANY_COPY,
    STUB_GUARD,
    LiveSessions,
    SessionCookies,
    SessionEvents,
    SessionsMetrics,
    SessionsRegistry,
    SessionsService,
  ],
})
export class SessionsCoreModule {}
