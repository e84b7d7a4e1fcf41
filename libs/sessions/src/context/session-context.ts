import { Injectable } from '@nestjs/common';
import type { SessionOf } from '../registry/sessions-table.js';
import type { SessionsService } from '../service/sessions.service.js';
import { currentBox, withBox } from './current-box.js';

/**
 * The session of the request that is being handled, for services that are not given the request; injectable where
 * `SessionContextModule` is imported.
 *
 * @example
 * ```ts
 * @Injectable()
 * export class NotesService {
 *   constructor(private readonly context: SessionContext<Sessions>) {}
 *
 *   authorOfNew() {
 *     return this.context.session?.userId;
 *   }
 * }
 * ```
 */
@Injectable()
export class SessionContext<T = SessionsService> {
  /** The session that the guard has found; `undefined` before the guard, on public routes, and outside requests. */
  get session(): SessionOf<T> | undefined {
    return currentBox()?.session as SessionOf<T> | undefined;
  }

  /**
   * Calls a function for which, and for all that it begins, a session is the current one, or none is: for jobs and tests,
   * which no guard precedes.
   *
   * @returns what the function returns
   * @example
   * ```ts
   * const userId = context.run(session, () => context.session?.userId);
   * ```
   */
  run<R>(session: SessionOf<T> | undefined, fn: () => R): R {
    return withBox({ session }, fn);
  }
}
