/** How the names of the library's own triggers begin, which keep two columns of digests equal. */
export const SYNC_TRIGGERS = 'nest_sessions_sync_';

/** Whether a trigger may change what a session shows. */
export function mayRewrite(trigger: string): boolean {
  return !trigger.startsWith(SYNC_TRIGGERS);
}
