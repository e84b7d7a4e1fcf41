import { SetMetadata } from '@nestjs/common';

/** Whether a route asks for a session, takes one where there is one, or does not look. */
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

/** What a route says of itself; a guard on the handler outweighs what its controller says. */
export function accessOf(handler: object, controller: object, isGuardOnHandler: boolean): Access | undefined {
  const own = Reflect.getMetadata(ACCESS, handler) as Access | undefined;
  return own ?? (isGuardOnHandler ? undefined : (Reflect.getMetadata(ACCESS, controller) as Access | undefined));
}
