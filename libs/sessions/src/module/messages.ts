// Texts for the log of the expiry job.
export const neverDeleted = (tables: readonly string[]): string =>
  `Expired rows of ${tables.map((table) => `"${table}"`).join(', ')} are never deleted: import ScheduleModule.forRoot(), or say so by pruning: false.`;

export const deletionFailed = (table: string, reason: string): string =>
  `Deleting expired rows of "${table}" failed: ${reason}`;

export const deletedSoFar = (rows: number, table: string, perSecond: number): string =>
  `Deleted ${digits(rows)} expired rows of "${table}" so far, ${digits(perSecond)} a second`;

export const deletedIn = (rows: number, table: string, ms: number): string =>
  `Deleted ${digits(rows)} expired rows of "${table}" in ${ms} ms`;

export const deletedElsewhere = (table: string): string =>
  `Expired rows of "${table}" are being deleted by another node`;

export const leftToAnother = (table: string, runs: number, holder: string, since: Date): string =>
  `${runs} runs in a row have left the expired rows of "${table}" to one that began at ${since.toISOString()} and has not ended: that of ${holder}`;

export const stalledFor = (ms: number): string =>
  `the database has not answered for ${ms / 1000} s, so the run was given up, and its connection ended; the next one goes on`;

export const notEndedInTime = (table: string, ms: number): string =>
  `the application ends, and the batch under way has not within ${ms / 1000} s, so its connection was ended; the next run on "${table}" goes on`;

export const withoutLease = (table: string): string =>
  `There is no table "nest_sessions_marks", so each batch of expired rows of "${table}" is deleted under a lock of the database: createSessionsTable(queryRunner, …) in a migration makes it, and leaves alone what is there.`;

function digits(count: number): string {
  return count.toLocaleString('en');
}

export const messagesOpen = (handlers: readonly string[]): string =>
  `A service for messages is connected without the guard of the application, so that these are open to everybody: ${handlers.join(', ')}. Connect it by connectMicroservice(options, { inheritAppConfig: true }), put @UseGuards(SessionGuard) on the controller, or @Public() for what is to be open.`;

export const gatewaysOpen = (handlers: readonly string[]): string =>
  `The guard of the application is made for each request, and Nest makes none for messages of gateways, so that no guard is asked for these: ${handlers.join(', ')}. Put @UseGuards(…) on the gateway, or @Public() for what is to be open.`;

export const gatewaysBlind = (gateways: readonly string[]): string =>
  `The WsAdapter of @nestjs/platform-ws shows no guard the request that opens a socket, so that SessionGuard refuses all guarded messages of ${gateways.join(', ')}: take the SessionWsAdapter of nest-sessions/platform-ws in its place.`;
