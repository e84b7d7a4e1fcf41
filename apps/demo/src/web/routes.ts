import { applyDecorators, Controller, HttpStatus, Post, Redirect, UseInterceptors } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { PageHeaders } from './page-headers.js';

/** A controller whose routes return pages, which are not part of the API. */
export const PageController = (path = ''): ClassDecorator =>
  applyDecorators(Controller(path), ApiExcludeController(), UseInterceptors(PageHeaders));

/**
 * A route for a form. It returns the URL of the next page, so that a reload sends nothing twice. To show a rejected form
 * again, throw `InvalidForm`.
 */
export const PostForm = (path?: string): MethodDecorator =>
  applyDecorators(Post(path), Redirect(undefined, HttpStatus.SEE_OTHER));

/** Where the browser goes after a form. */
export interface Next {
  readonly url: string;
}
