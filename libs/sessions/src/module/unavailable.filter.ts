import { type ArgumentsHost, Catch, Inject, Injectable, Logger } from '@nestjs/common';
import { BaseExceptionFilter, ModuleRef } from '@nestjs/core';
import { SessionsUnavailableError } from '../errors/errors.js';
import { applicationConfigOf } from '../guard/nest-internals.js';
import { TooManyRefusalsError } from '../guard/refusal-budget.js';

/**
 * Answers like Nest if a handler got no answer from the storage, or there were too many refusals, and adds
 * `Retry-After`. Nest sends no headers for an exception, and logs none that has a status.
 */
@Catch(SessionsUnavailableError, TooManyRefusalsError)
@Injectable()
export class UnavailableFilter extends BaseExceptionFilter<SessionsUnavailableError | TooManyRefusalsError> {
  readonly #logger = new Logger('SessionsModule');

  constructor(@Inject(ModuleRef) module: ModuleRef) {
    super();
    // Like APP_FILTER, but before the application's filters: Nest asks the last one first, so its own catch-all
    // decides.
    applicationConfigOf(module)?.addGlobalFilter(this);
  }

  override catch(error: SessionsUnavailableError | TooManyRefusalsError, host: ArgumentsHost): void {
    // Outside HTTP, Nest answers by itself, without filters.
    if (host.getType() !== 'http') return;
    if (error instanceof SessionsUnavailableError) this.#logger.error(error.message);
    const { httpAdapter } = this.httpAdapterHost!;
    const response = host.switchToHttp().getResponse<unknown>();
    if (!httpAdapter.isHeadersSent(response)) httpAdapter.setHeader(response, 'Retry-After', String(error.retryAfter));
    // oxlint-disable-next-line promise/valid-params, promise/no-promise-in-callback -- of a filter, not of a promise
    super.catch(error, host);
  }
}
