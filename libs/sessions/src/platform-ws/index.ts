export { SessionWsAdapter } from './session-ws.adapter.js';
