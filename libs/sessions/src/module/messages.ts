// Texts for the log of the expiry job.
export const neverDeleted = (tables: readonly string[]): string =>
  `Expired rows of ${tables.map((table) => `"${table}"`).join(', ')} are never deleted: import ScheduleModule.forRoot(), or set pruning: false.`;

export const deletionFailed = (table: string, reason: string): string =>
  `Deleting expired rows of "${table}" failed: ${reason}`;

export const deletedSoFar = (rows: number, table: string, perSecond: number): string =>
  `Deleted ${digits(rows)} expired rows of "${table}" so far, ${digits(perSecond)} a second`;

export const deletedIn = (rows: number, table: string, ms: number): string =>
  `Deleted ${digits(rows)} expired rows of "${table}" in ${ms} ms`;

export const deletedElsewhere = (table: string): string =>
  `Expired rows of "${table}" are being deleted by another node`;

export const leftToAnother = (table: string, runs: number, holder: string, since: Date): string =>
  `${runs} runs in a row have skipped the expired rows of "${table}", because the run of ${holder}, which began at ${since.toISOString()}, has not ended`;

export const stalledFor = (ms: number): string =>
  `the database has not answered for ${ms / 1000} s, so the run was given up, and its connection ended; the next one goes on`;

export const notEndedInTime = (table: string, ms: number): string =>
  `the application stops, and the current batch has not ended within ${ms / 1000} s, so its connection was ended; the next run on "${table}" goes on`;

export const withoutLease = (table: string): string =>
  `There is no table "nest_sessions_marks", so each batch of expired rows of "${table}" is deleted under a lock of the database. To create it, call createSessionsTable(queryRunner, …) in a migration; it leaves alone what already exists.`;

function digits(count: number): string {
  return count.toLocaleString('en');
}

export const messagesOpen = (handlers: readonly string[]): string =>
  `A microservice is connected without the application's guard, so these handlers are open to everybody: ${handlers.join(', ')}. Connect it with connectMicroservice(options, { inheritAppConfig: true }), put @UseGuards(SessionGuard) on the controller, or @Public() on what should be open.`;

export const gatewaysOpen = (handlers: readonly string[]): string =>
  `The application's guard is request-scoped, and Nest runs no such APP_GUARD for messages of gateways, so these are open to everybody: ${handlers.join(', ')}. Put @UseGuards(…) on the gateway, or @Public() on what should be open.`;

export const gatewaysBlind = (gateways: readonly string[]): string =>
  `The WsAdapter of @nestjs/platform-ws shows guards no handshake, so SessionGuard refuses all guarded messages of ${gateways.join(', ')}: use the SessionWsAdapter of nest-sessions/platform-ws instead.`;
