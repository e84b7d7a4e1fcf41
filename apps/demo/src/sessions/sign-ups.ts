import { SessionsTable } from '@app/sessions';

/** Links that verify an e-mail address. Each works once, within an hour. */
export class SignUps extends SessionsTable({
  table: 'sign_ups',
  sessionTtl: '1h',
  autoExtendSession: false,
  extraFields: { email: { type: 'string', length: 254, immutable: true } },
  // MySQL neither allows nor needs a default on JSON.
  columns: { data: { default: false } },
}) {}
