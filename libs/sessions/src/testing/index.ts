export { actingAs } from './acting-as.js';
export { setSession } from './set-session.js';
export { SessionsTestingModule, type TestBuilder } from './sessions-testing.module.js';
export { SettableClock } from './settable-clock.js';
