import { SessionsTable } from '@app/sessions';

/** The links by which people show that an e-mail address is theirs: each is good for an hour, and once. */
export class SignUps extends SessionsTable({
  table: 'sign_ups',
  sessionTtl: '1h',
  autoExtendSession: false,
  extraFields: { email: { type: 'string', length: 254, immutable: true } },
  // MySQL allows no default on JSON, and needs none.
  columns: { data: { default: false } },
}) {}
