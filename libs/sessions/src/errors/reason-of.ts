/**
 * A short reason for the log. Node's error for a connection refused at several addresses, such as those of `localhost`,
 * has no message, only a code.
 */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || (error as NodeJS.ErrnoException).code || error.name;
}
