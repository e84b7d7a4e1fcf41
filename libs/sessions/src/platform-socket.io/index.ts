export { SessionIoAdapter } from './session-io.adapter.js';
