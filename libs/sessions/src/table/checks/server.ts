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

/** How far two clocks may differ, in milliseconds: about the longest statement, which sessions do not notice. */
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

/** MySQL and MariaDB default to repeatable read, which the library handles with its own transactions and locking reads. */
export const isolationLevel: ServerCheck = ({ product, isolation: level }) =>
  level === 'serializable' || (level === 'repeatable read' && product === 'postgres')
    ? [{ code: 'isolation', text: isolation(level) }]
    : [];

/** The statements that this table alone makes the server keep; at start-up, none yet. */
export function preparedStatements({ prepared, server: { mostPrepared = Infinity } }: DatabaseFacts): Finding[] {
  const held = (prepared?.perConnection ?? 0) * (prepared?.connections ?? 1);
  return held > mostPrepared ? [{ code: 'preparedStatements', text: tooManyPrepared(held, mostPrepared) }] : [];
}
