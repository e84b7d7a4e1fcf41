import type { InvalidationChannel } from './channels/invalidation-channel.js';
import type { CacheLimits } from './near-cache.js';

export interface ResolvedCache extends CacheLimits {
  /** `undefined`: the storage's own. */
  readonly channel: InvalidationChannel | null | undefined;
}
