import { Inject, Injectable } from '@nestjs/common';
import { Observable } from 'rxjs';
import type { Hold } from '../live/hold.js';
import type { BaseSession } from '../session/session.js';
import { SessionsRegistry, type TableReference } from './sessions.registry.js';

/**
 * Ends open connections together with their sessions: at once if this process ends the session; if another one does,
 * when the message arrives, or without a channel at the next check; and at the session's end, unless that was moved.
 * The guard's streams and the gateways' sockets are held already. Inject it for the default table; `for(ApiKeys)` is
 * for another. Nothing ends while the database does not answer.
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
   * Returns the same for another table, named by class, definition or name.
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
   * Calls `end` once when the session has ended, unless the hold is released before. Errors of `end` are logged.
   *
   * @throws SessionsUnavailableError if the table is not open yet
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
   * Returns an Observable that emits once when the session has ended, and completes: for `takeUntil`.
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
   * Returns a signal that aborts when the session has ended. It is held as long as somebody references it or listens to
   * it.
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
   * Counts what is open for sessions of a table in this process, for a gauge.
   *
   * @param table default: the table of this instance
   * @example
   * ```ts
   * console.log(live.count(Sessions));
   * ```
   */
  count(table = this.#table): number {
    return this.registry.store(table).held.count;
  }
}
