// Why a channel is lost.
export const CONNECTION_CLOSED = 'the connection was closed';

export const NOTIFICATIONS_UNHEARD =
  'the listening connection hears nothing of what is sent. Behind a pooler with a connection per transaction, such as ' +
  'PgBouncer with pool_mode = transaction, listen past the pooler: new PostgresChannel(direct), on a data source that ' +
  'connects straight to PostgreSQL, to the database on which messages are sent';

export const nothingHeardFor = (ms: number): string => `nothing was heard for ${ms} ms`;

// Problems with a channel.
export const poolTooSmall = (purposes: readonly string[], poolSize: number): string =>
  `the channel needs ${purposes.length} connections of a data source (${purposes.join(', ')}) whose pool has ${poolSize}: give it a larger poolSize, the channel another data source, new PostgresChannel(listenOn, { publishOn }), or the cache another channel, such as new RedisChannel(…)`;

// Errors in the use of a session.
export const DATE_FROZEN =
  'A date of a session cannot be changed if others share it, as with a near cache and on a socket: change a copy, new Date(session.createdAt).';
