/** Codes of Node, PostgreSQL and MySQL for a server that is not reached, or goes down. */
const CODES = /^(?:ECONN|ETIMEDOUT|EPIPE|EHOST|ENET|ENOTFOUND|EAI_AGAIN|PROTOCOL_CONNECTION_LOST|08|57P0|53)/;
/** What `pg` and its pool say without a code. */
const WORDS = /^(?:Connection terminated|Client has encountered a connection error|timeout exceeded)/;

/** Whether an error of a driver says that there is no database to ask just now. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, driverError, cause } = error as NodeJS.ErrnoException & { readonly driverError?: unknown };
  return CODES.test(code ?? '') || WORDS.test(error.message) || isOutage(driverError ?? cause);
}
