export { SessionContext } from './session-context.js';
export { SessionContextModule } from './session-context.module.js';
