import { SetMetadata } from '@nestjs/common';

/** Whether a route needs no session, or takes one if there is one. Other routes require one. */
export type Access = 'public' | 'optional';

const ACCESS = 'nest-sessions:access';

/**
 * Opens a route, or a whole controller, that a guard would close. The guard does not look at the token.
 *
 * @example
 * ```ts
 * @Public()
 * @Post('login')
 * login() {}
 * ```
 */
export const Public = (): MethodDecorator & ClassDecorator => SetMetadata(ACCESS, 'public' satisfies Access);

/**
 * Lets requests without credentials through, with no session. An invalid token is still refused. An invalid cookie counts as
 * no session, because the browser keeps sending it until told not to.
 *
 * @example
 * ```ts
 * @OptionalSession()
 * @Get()
 * home(@CurrentSession() session?: SessionOf<Sessions>) {}
 * ```
 */
export const OptionalSession = (): MethodDecorator & ClassDecorator => SetMetadata(ACCESS, 'optional' satisfies Access);

/** The access that a route declares. A guard on the handler ignores what the controller declares. */
export function accessOf(handler: object, controller: object, isGuardOnHandler: boolean): Access | undefined {
  const own = Reflect.getMetadata(ACCESS, handler) as Access | undefined;
  return own ?? (isGuardOnHandler ? undefined : (Reflect.getMetadata(ACCESS, controller) as Access | undefined));
}
