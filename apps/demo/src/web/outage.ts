/** Codes of Node, PostgreSQL and MySQL for a server that is unreachable or shutting down. */
const CODES = /^(?:ECONN|ETIMEDOUT|EPIPE|EHOST|ENET|ENOTFOUND|EAI_AGAIN|PROTOCOL_CONNECTION_LOST|08|57P0|53)/;
/** Messages of `pg` and its pool that have no code. */
const WORDS = /^(?:Connection terminated|Client has encountered a connection error|timeout exceeded)/;

/** Whether a driver's error says that the database is unavailable. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, driverError, cause } = error as NodeJS.ErrnoException & { readonly driverError?: unknown };
  return CODES.test(code ?? '') || WORDS.test(error.message) || isOutage(driverError ?? cause);
}
