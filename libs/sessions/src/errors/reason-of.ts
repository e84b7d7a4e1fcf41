/**
 * What went wrong, in a few words for the log. Where a connection was refused at several addresses, such as those of
 * `localhost`, Node's error has no message of its own, but a code.
 */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || (error as NodeJS.ErrnoException).code || error.name;
}
