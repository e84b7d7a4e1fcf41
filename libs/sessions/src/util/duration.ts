const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/** A length of time: a number of seconds, or text such as `'90s'`, `'10m'`, `'12h'`, `'7d'`, `'2w'`. */
export type Duration = number | `${number}${keyof typeof SECONDS}`;

/** Converts a duration to milliseconds. Returns `undefined` for anything else: negative, too long, an unknown unit. */
export function durationMs(duration: unknown): number | undefined {
  const seconds = typeof duration === 'number' ? duration : secondsOf(duration);
  const ms = Math.round(seconds * 1000);
  return Number.isSafeInteger(ms) && ms >= 0 ? ms : undefined;
}

function secondsOf(duration: unknown): number {
  const match = typeof duration === 'string' ? /^(\d+(?:\.\d+)?)([smhdw])$/.exec(duration) : null;
  return match ? Number(match[1]) * SECONDS[match[2] as keyof typeof SECONDS] : NaN;
}
