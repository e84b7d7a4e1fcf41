import { Body, Controller, HttpCode, HttpStatus, Post, Res, UnauthorizedException } from '@nestjs/common';
import { CurrentSession, OptionalSession, Public } from '@app/sessions';
import { body, type BodyOf } from '../http/body.js';
import { NoStore } from '../http/no-store.decorator.js';
import { UsersService } from '../users/users.service.js';
import { CurrentDevice, type Device } from './device.js';
import { type Session, Sessions } from './sessions.js';

const EMAIL = { max: 254, form: [/^[!-?A-~]+@[!-?A-~]+\.[!-?A-~]+$/, 'must be an e-mail address'] } as const;

const SIGN_UP = body({ email: EMAIL, password: { min: 8, max: 1000 } });
const LOGIN = body({ email: EMAIL, password: { max: 1000 } });

interface Login {
  readonly token: string;
  readonly expiresAt: Date | null;
}

@Controller('api')
export class AuthController {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: Sessions,
  ) {}

  @Public()
  @Post('sign-up')
  async signUp(@Body({ schema: SIGN_UP }) { email, password }: BodyOf<typeof SIGN_UP>): Promise<object> {
    return this.users.signUp(email, password);
  }

  /** A token that is sent along is ended: whoever had it before has nothing of the new login. @see ASVS 7.2.4 */
  @OptionalSession()
  @Post('login')
  @HttpCode(HttpStatus.OK)
  @NoStore()
  async login(
    @Body({ schema: LOGIN }) { email, password }: BodyOf<typeof LOGIN>,
    @CurrentDevice() device: Device,
    @CurrentSession() presented: Session | undefined,
    @Res({ passthrough: true }) response: { setHeader(name: string, value: string): void },
  ): Promise<Login> {
    const user = await this.users.verify(email, password);
    if (user === null) {
      response.setHeader('WWW-Authenticate', 'Bearer realm="api"');
      throw new UnauthorizedException('The e-mail address or the password is wrong.');
    }
    const session = await this.sessions.create({ userId: user.id, data: { ...device } });
    if (presented) await this.sessions.delete(presented);
    return { token: session.authToken, expiresAt: session.expiresAt };
  }

  @Post('logout')
  @HttpCode(HttpStatus.NO_CONTENT)
  async logout(@CurrentSession() session: Session): Promise<void> {
    await this.sessions.delete(session);
  }
}
