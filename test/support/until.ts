/** For `vi.waitFor` and `vi.waitUntil`: gives up on what hangs, not on what is slow. */
export const UNTIL_IT_HANGS = { timeout: 120_000 };
