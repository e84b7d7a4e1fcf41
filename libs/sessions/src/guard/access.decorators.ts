import { SetMetadata } from '@nestjs/common';

/** Whether a route asks for a session, takes one where there is one, or does not look. */
export type Access = 'public' | 'optional';

export const ACCESS = 'nest-sessions:access';

/**
 * Opens a route, or all of a controller, that a guard would close; no token is looked at.
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
 * Lets requests without credentials through, with no session; a token that does not hold is refused all the same. A cookie
 * that does not hold is no session: its browser sends it until it is told not to.
 *
 * @example
 * ```ts
 * @OptionalSession()
 * @Get()
 * home(@CurrentSession() session?: SessionOf<Sessions>) {}
 * ```
 */
export const OptionalSession = (): MethodDecorator & ClassDecorator => SetMetadata(ACCESS, 'optional' satisfies Access);
