import { Injectable } from '@nestjs/common';
import type { SessionOf } from '../registry/sessions-table.js';
import type { SessionsService } from '../service/sessions.service.js';
import { currentBox, withBox } from './current-box.js';

/**
 * The session of the current request, for services that do not get the request. Injectable if `SessionContextModule` is
 * imported.
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
  /** The session that the guard found; `undefined` before the guard, on public routes, and outside requests. */
  get session(): SessionOf<T> | undefined {
    return currentBox()?.session as SessionOf<T> | undefined;
  }

  /**
   * Runs a function, and everything it starts, with a current session or with none: for jobs and tests, which have no
   * guard.
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
