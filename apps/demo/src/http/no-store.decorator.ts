import { Header } from '@nestjs/common';

/** For responses that carry a token: no cache on the way keeps it. @see OWASP ASVS 5.0, 14.3.2 */
export const NoStore = (): MethodDecorator => Header('Cache-Control', 'no-store');
