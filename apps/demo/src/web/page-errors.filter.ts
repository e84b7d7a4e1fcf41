import { type ArgumentsHost, Catch, HttpException, HttpStatus, Logger } from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { InvalidForm } from './forms.js';
import { isOutage } from './outage.js';
import { ownPath } from './own-path.js';
import { setPageHeaders } from './page-headers.js';
import type { Why } from './pages/access.pages.js';
import { errorPage } from './pages/error.page.js';

/** The part of an Express request that says where it came from. */
interface PageRequest {
  readonly method: string;
  readonly originalUrl: string;
  readonly headers: { readonly referer?: string; readonly host?: string };
}

/** The API and its OpenAPI document, as a page or a file. */
const API = /^\/(?:api|docs)(?:[/?-]|$)/;

/**
 * Answers requests for pages with error pages, and leaves the API to Nest. It redirects users to sign in or to confirm their
 * password, and back.
 */
@Catch()
export class PageErrors extends BaseExceptionFilter {
  readonly #logger = new Logger('Pages');

  constructor(private readonly adapterHost: HttpAdapterHost) {
    super(adapterHost.httpAdapter);
  }

  override catch(exception: unknown, host: ArgumentsHost): void {
    const { httpAdapter } = this.adapterHost;
    const request = host.switchToHttp().getRequest<PageRequest>();
    const response = host.switchToHttp().getResponse<unknown>();
    const retryAfter = retryAfterOf(exception);
    if (retryAfter !== undefined) httpAdapter.setHeader(response, 'Retry-After', String(retryAfter));
    if (API.test(request.originalUrl) || httpAdapter.isHeadersSent(response)) {
      // oxlint-disable-next-line promise/valid-params -- of a filter, not of a promise
      super.catch(exception, host);
      return;
    }
    setPageHeaders(httpAdapter, response);
    const detour = detourOf(exception, request);
    if (detour !== undefined) {
      httpAdapter.redirect(response, HttpStatus.SEE_OTHER, detour);
    } else if (exception instanceof InvalidForm) {
      httpAdapter.reply(response, exception.page, HttpStatus.BAD_REQUEST);
    } else {
      const status = statusOf(exception);
      if (status >= 500) this.#logger.error(exception);
      httpAdapter.reply(response, errorPage(status, retryAfter), status);
    }
  }
}

/** Where to redirect first, if that helps. */
function detourOf(exception: unknown, request: PageRequest): string | undefined {
  if (!(exception instanceof HttpException) || exception.getStatus() !== 401) return undefined;
  const sender = senderOf(request);
  const page = request.method === 'GET' ? request.originalUrl : sender;
  const next = encodeURIComponent(ownPath(page?.replace(/\?done=[a-z-]*$/, '')));
  if (exception.errorCode === 'ERR_SESSION_NOT_FRESH') return `/account/confirm?next=${next}`;
  const ended = exception.errorCode === 'ERR_SESSION_TOKEN_INVALID';
  // A request from there has just been given a cookie.
  const lost = !ended && sender !== undefined && /^\/sign-(?:in|up)\b/.test(sender);
  const why: Why | undefined = ended ? 'ended' : lost ? 'lost' : undefined;
  return `/sign-in?next=${next}${why ? `&why=${why}` : ''}`;
}

/** The page of this site that a request comes from, if the browser says so. */
function senderOf({ headers: { referer = '', host } }: PageRequest): string | undefined {
  const [, from, path] = /^https?:\/\/([^/]+)(\/.*)$/.exec(referer) ?? [];
  return from === host ? path : undefined;
}

/** The seconds until a retry, if a library error has them. Nest sends no headers of an exception. */
function retryAfterOf(exception: unknown): number | undefined {
  return exception instanceof HttpException && 'retryAfter' in exception ? Number(exception.retryAfter) : undefined;
}

function statusOf(exception: unknown): number {
  if (exception instanceof HttpException) return exception.getStatus();
  return isOutage(exception) ? HttpStatus.SERVICE_UNAVAILABLE : HttpStatus.INTERNAL_SERVER_ERROR;
}
