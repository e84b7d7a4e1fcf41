/** The limits of a batch. */
export interface BatchLimits {
  /** The target duration of a batch, in milliseconds. */
  readonly targetMs: number;
  /** The fewest and the most rows in a batch. */
  readonly min: number;
  readonly max: number;
}

/** A finished batch. */
export interface Batch {
  /** The most rows that it could have. */
  readonly size: number;
  /** The rows that it had. */
  readonly rows: number;
  /** How long it took, in milliseconds. */
  readonly ms: number;
}

/** The size of the next batch: closer to the target duration, but at most twice or half the last size. */
export function nextBatchSize({ size, rows, ms }: Batch, { targetMs, min, max }: BatchLimits): number {
  const factor = Math.min(2, Math.max(0.5, targetMs / ms));
  // A batch that was not full does not tell how long a larger one would take.
  if (factor > 1 && rows < size) return size;
  const next = factor > 1 ? Math.ceil(size * factor) : Math.floor(size * factor);
  return Math.max(min, Math.min(max, next));
}
