/** The sessions of a table that have changed; without ids, any may have. */
export interface Invalidation {
  readonly table: string;
  readonly ids?: readonly string[];
}

/** A message of a node: a change, or only a sign that it can be heard. */
export interface Message extends Partial<Invalidation> {
  readonly from: string;
  readonly beat?: number;
}

/** The most ids in one message, which PostgreSQL limits to 8,000 bytes. */
const MOST_IDS = 100;

export function encode(message: Message): string {
  const { ids, ...rest } = message;
  return JSON.stringify(ids && ids.length <= MOST_IDS ? message : rest);
}

/** Parses a message; `undefined` for text that is not one of ours. */
export function decode(text: string): Message | undefined {
  try {
    const message = JSON.parse(text) as unknown;
    return isMessage(message) ? message : undefined;
  } catch {
    return undefined;
  }
}

function isMessage(value: unknown): value is Message {
  if (typeof value !== 'object' || value === null) return false;
  const { from, beat, table, ids } = value as Record<keyof Message, unknown>;
  return (
    typeof from === 'string' &&
    (beat === undefined ? typeof table === 'string' : typeof beat === 'number') &&
    (ids === undefined || (Array.isArray(ids) && ids.every((id) => typeof id === 'string')))
  );
}
