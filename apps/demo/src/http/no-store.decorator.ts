import { Header } from '@nestjs/common';

/** For responses that contain a token: no cache may store them. @see OWASP ASVS 5.0, 14.3.2 */
export const NoStore = (): MethodDecorator => Header('Cache-Control', 'no-store');
