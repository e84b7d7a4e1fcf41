import { applyDecorators, Controller, HttpStatus, Post, Redirect, UseInterceptors } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { PageHeaders } from './page-headers.js';

/** A controller whose routes answer with pages, which are no part of the API. */
export const PageController = (path = ''): ClassDecorator =>
  applyDecorators(Controller(path), ApiExcludeController(), UseInterceptors(PageHeaders));

/**
 * A route that a form is sent to. It gives the address of the page that is shown then, so that to load that one again
 * sends nothing twice; a form that is not accepted is shown again by throwing `InvalidForm`.
 */
export const PostForm = (path?: string): MethodDecorator =>
  applyDecorators(Post(path), Redirect(undefined, HttpStatus.SEE_OTHER));

/** Where the browser goes after a form. */
export interface Next {
  readonly url: string;
}
