// What the expiry job logs.
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

function digits(count: number): string {
  return count.toLocaleString('en');
}
