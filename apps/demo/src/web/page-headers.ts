import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { type AbstractHttpAdapter, HttpAdapterHost } from '@nestjs/core';
import type { Observable } from 'rxjs';

/**
 * Pages load only our own files, send forms only to us, allow no frames, and are never cached, since they show personal data.
 *
 * @see OWASP ASVS 5.0, 3.4.3 to 3.4.6 and 14.3.2
 */
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  // Not no-referrer: browsers would send forms with "Origin: null".
  'Referrer-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

/** The same for a page with inline styles and images. */
export const HEADERS_WITH_STYLES = {
  ...HEADERS,
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
};

/** Sets the headers of pages on a response. */
export function setPageHeaders(adapter: AbstractHttpAdapter, response: unknown, headers = HEADERS): void {
  for (const [name, value] of Object.entries(headers)) adapter.setHeader(response, name, value);
}

@Injectable()
export class PageHeaders implements NestInterceptor {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    setPageHeaders(this.adapterHost.httpAdapter, context.switchToHttp().getResponse());
    return next.handle();
  }
}
