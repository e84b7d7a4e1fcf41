import type { InvalidationChannel } from '../cache/channels/invalidation-channel.js';
import { objectWith, type OptionType } from '../errors/option-types.js';
import type { Duration } from '../util/duration.js';

/** How soon long-lived connections, such as sockets, end with a session that another process or somebody else has ended. */
export interface LiveOptions {
  /**
   * The time between two checks of all open sessions, from `'1s'` to `'1h'`; one statement asks for up to 1,000.
   *
   * @default '10s', and '60s' while a channel is up
   */
  readonly check?: Duration;
  /**
   * How the processes tell each other about changes, for tables without a near cache; others use that of `cache`.
   *
   * @default none: changes elsewhere are seen at the next check
   */
  readonly channel?: InvalidationChannel;
}

export const LIVE_OPTIONS = {
  check: true,
  channel: objectWith('a channel, such as new RedisChannel(…)', 'connect'),
} satisfies Record<keyof LiveOptions, OptionType>;
