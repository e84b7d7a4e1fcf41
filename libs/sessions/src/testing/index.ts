export { actingAs } from './acting-as.js';
export { SessionsTestingModule } from './sessions-testing.module.js';
export { SettableClock } from './settable-clock.js';
