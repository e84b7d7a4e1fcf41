export { ApiSession } from './api-session.decorator.js';
export { createSessionsDocument } from './sessions-document.js';
