/** What the size of batches keeps to. */
export interface BatchLimits {
  /** How long a batch shall take, in milliseconds. */
  readonly targetMs: number;
  /** The fewest and the most rows of a batch. */
  readonly min: number;
  readonly max: number;
}

/** A batch that has ended. */
export interface Batch {
  /** The rows that it had at the most. */
  readonly size: number;
  /** The rows that there were. */
  readonly rows: number;
  /** How long it took, in milliseconds. */
  readonly ms: number;
}

/** The size of the batch after another one: closer to what takes the target's time, by no more than twice or half as much. */
export function nextBatchSize({ size, rows, ms }: Batch, { targetMs, min, max }: BatchLimits): number {
  const factor = Math.min(2, Math.max(0.5, targetMs / ms));
  // A batch that was not full does not tell how long a larger one would take.
  if (factor > 1 && rows < size) return size;
  const next = factor > 1 ? Math.ceil(size * factor) : Math.floor(size * factor);
  return Math.max(min, Math.min(max, next));
}
