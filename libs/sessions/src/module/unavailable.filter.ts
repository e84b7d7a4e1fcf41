import { type ArgumentsHost, Catch, Inject, Injectable, Logger } from '@nestjs/common';
import { BaseExceptionFilter, ModuleRef } from '@nestjs/core';
import { SessionsUnavailableError } from '../errors/errors.js';
import { applicationConfigOf } from '../guard/nest-internals.js';
import { TooManyRefusalsError } from '../guard/refusal-budget.js';

/**
 * Answers a request whose handler could not get an answer of the storage, or was asked too often, as Nest does, and says when to come again: Nest
 * sends no headers of an exception, and logs none that has a status.
 */
@Catch(SessionsUnavailableError, TooManyRefusalsError)
@Injectable()
export class UnavailableFilter extends BaseExceptionFilter<SessionsUnavailableError | TooManyRefusalsError> {
  readonly #logger = new Logger('SessionsModule');

  constructor(@Inject(ModuleRef) module: ModuleRef) {
    super();
    // As APP_FILTER does, but before those of the application, for Nest asks the last one first: a catch-all of its own decides.
    applicationConfigOf(module)?.addGlobalFilter(this);
  }

  override catch(error: SessionsUnavailableError | TooManyRefusalsError, host: ArgumentsHost): void {
    // What comes of a message or a field of GraphQL is sent by Nest, where no filter says anything.
    if (host.getType() !== 'http') return;
    if (error instanceof SessionsUnavailableError) this.#logger.error(error.message);
    const { httpAdapter } = this.httpAdapterHost!;
    const response = host.switchToHttp().getResponse<unknown>();
    if (!httpAdapter.isHeadersSent(response)) httpAdapter.setHeader(response, 'Retry-After', String(error.retryAfter));
    // oxlint-disable-next-line promise/valid-params, promise/no-promise-in-callback -- of a filter, not of a promise
    super.catch(error, host);
  }
}
