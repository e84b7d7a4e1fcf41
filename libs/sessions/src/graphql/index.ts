export { SubscriptionSessions } from './subscription-sessions.js';
export { SubscriptionSessionsModule } from './subscription-sessions.module.js';
export type { GraphqlWsHooks, MercuriusHooks, SubscriptionSessionsOptions } from './subscription-options.js';
