import type { DatabaseFacts, ServerFacts } from '../../adapters/port/table-facts.js';
import type { Finding } from './finding.js';
import {
  clockDiffers,
  isolation,
  NO_BACKSLASH_ESCAPES,
  NOT_STRICT,
  READ_ONLY,
  SEVERAL_WRITERS,
  tooManyPrepared,
} from './messages.js';

/** Milliseconds that two clocks may differ: as much as one statement takes at the most, and what sessions do not notice. */
const CLOCK_MS = 1000;

type ServerCheck = (server: ServerFacts) => Finding[];

export const clock: ServerCheck = ({ clockAheadMs: ms = 0 }) =>
  Math.abs(ms) > CLOCK_MS ? [{ code: 'clock', text: clockDiffers(ms) }] : [];

export const readOnly: ServerCheck = (server) => (server.readOnly ? [{ code: 'readOnly', text: READ_ONLY }] : []);

export const severalWriters: ServerCheck = ({ wsrep }) =>
  wsrep ? [{ code: 'severalWriters', text: SEVERAL_WRITERS }] : [];

export const strictness: ServerCheck = ({ sqlMode }) =>
  !sqlMode || sqlMode.some((mode) => /^(STRICT_|TRADITIONAL$)/.test(mode))
    ? []
    : [{ code: 'sqlMode', text: NOT_STRICT }];

export const escapes: ServerCheck = ({ sqlMode }) =>
  sqlMode?.includes('NO_BACKSLASH_ESCAPES') ? [{ code: 'sqlMode', text: NO_BACKSLASH_ESCAPES }] : [];

/** Of MySQL and MariaDB it is repeatable by default, which the library meets by its own transactions and by locking reads. */
export const isolationLevel: ServerCheck = ({ product, isolation: level }) =>
  level === 'serializable' || (level === 'repeatable read' && product === 'postgres')
    ? [{ code: 'isolation', text: isolation(level) }]
    : [];

/** What a table alone has the server keep; at the start that is nothing yet. */
export function preparedStatements({ prepared, server: { mostPrepared = Infinity } }: DatabaseFacts): Finding[] {
  const held = (prepared?.perConnection ?? 0) * (prepared?.connections ?? 1);
  return held > mostPrepared ? [{ code: 'preparedStatements', text: tooManyPrepared(held, mostPrepared) }] : [];
}
