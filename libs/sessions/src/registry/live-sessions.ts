import { Inject, Injectable } from '@nestjs/common';
import { Observable } from 'rxjs';
import type { Hold } from '../live/hold.js';
import type { BaseSession } from '../session/session.js';
import { SessionsRegistry, type TableReference } from './sessions.registry.js';

/**
 * What stays open because a session is valid, to be ended with it: at once where this process ends the session, as soon as the
 * message arrives where another one does and there is a channel, by the next check else, and at the session's end, unless that
 * was moved. The guard's streams and the gateways' sockets are held already. Injected, it is for the default table;
 * `for(ApiKeys)` is for another. While the database does not answer nothing ends.
 *
 * @example
 * ```ts
 * @UseGuards(SessionGuard)
 * @Controller('prices')
 * export class PricesController {
 *   constructor(private readonly live: LiveSessions) {}
 *
 *   @Get('upstream')
 *   upstream(@CurrentSession() session: SessionOf<Sessions>) {
 *     return fetch('https://prices.example', { signal: this.live.signal(session) });
 *   }
 * }
 * ```
 * @see OWASP ASVS 5.0, 7.4.1
 */
@Injectable()
export class LiveSessions {
  #table: TableReference | undefined;

  constructor(@Inject(SessionsRegistry) private readonly registry: SessionsRegistry) {}

  /**
   * What stays open for the sessions of another table than the default one, named by class, definition or name.
   *
   * @example
   * ```ts
   * const hold = live.for(Sessions).hold(session, () => upstream.close());
   * ```
   */
  for(table: TableReference): LiveSessions {
    const live = new LiveSessions(this.registry);
    live.#table = table;
    return live;
  }

  /**
   * Calls `end` once when the session has ended, unless what is held is released before. What `end` throws is logged.
   *
   * @throws SessionsUnavailableError where the table is not open yet
   * @example
   * ```ts
   * const hold = live.hold(session, () => upstream.close());
   * upstream.once('close', () => hold.release());
   * ```
   */
  hold(session: BaseSession, end: () => void): Hold {
    return this.registry.store(this.#table).held.hold(session, end);
  }

  /**
   * Emits once when the session has ended, and completes: for `takeUntil`.
   *
   * @example
   * ```ts
   * return prices.pipe(takeUntil(live.ended(session)));
   * ```
   */
  ended(session: BaseSession): Observable<void> {
    return new Observable((subscriber) => {
      const hold = this.hold(session, () => {
        subscriber.next();
        subscriber.complete();
      });
      return () => hold.release();
    });
  }

  /**
   * Gives a signal that is aborted when the session has ended. It is held for as long as somebody has it, or listens to it.
   *
   * @example
   * ```ts
   * const answer = await fetch('https://prices.example', { signal: live.signal(session) });
   * ```
   */
  signal(session: BaseSession): AbortSignal {
    return this.registry.store(this.#table).held.signal(session);
  }

  /**
   * How much is open for sessions of a table in this process, for a gauge.
   *
   * @param table default: the one that this is for
   * @example
   * ```ts
   * console.log(live.count(Sessions));
   * ```
   */
  count(table = this.#table): number {
    return this.registry.store(table).held.count;
  }
}
