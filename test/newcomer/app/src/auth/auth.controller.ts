import { setTimeout } from 'node:timers/promises';
import { Body, Controller, HttpCode, Post, Req, Res, UnauthorizedException } from '@nestjs/common';
import {
  type ClientRequest,
  CurrentSession,
  OptionalSession,
  Public,
  SessionCookies,
  type SignInOptions,
  StaleCredentialsError,
} from 'nest-sessions';
import { type Session, Sessions } from '../sessions/sessions.entity.js';
import { UsersService } from '../users/users.service.js';
import { LoginDto } from './login.dto.js';
import { SignUpDto } from './sign-up.dto.js';

@Controller('auth')
export class AuthController {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: Sessions,
    private readonly cookies: SessionCookies,
  ) {}

  @Public()
  @Post('sign-up')
  async signUp(@Body() user: SignUpDto) {
    const { id, email, name } = await this.users.add(user);
    return { id, email, name };
  }

  /** For programs: the token in the body. */
  @OptionalSession()
  @HttpCode(200)
  @Post('login')
  async login(
    @Body() credentials: LoginDto,
    @Req() request: ClientRequest,
    @CurrentSession() replaces: Session | undefined,
  ) {
    const session = await this.signIn(credentials, { replaces, request });
    return { token: session.authToken, expiresAt: session.expiresAt };
  }

  /** For browsers: the token in a cookie. */
  @OptionalSession()
  @HttpCode(200)
  @Post('browser-login')
  async browserLogin(
    @Body() credentials: LoginDto,
    @Req() request: ClientRequest,
    @Res({ passthrough: true }) response: unknown,
    @CurrentSession() replaces: Session | undefined,
  ) {
    const session = await this.signIn(credentials, { replaces, request });
    this.cookies.set(response, session);
    return session;
  }

  @HttpCode(204)
  @Post('logout')
  async logout(@CurrentSession() session: Session, @Res({ passthrough: true }) response: unknown) {
    await this.sessions.revoke(session);
    this.cookies.clear(response);
  }

  /** Who has just changed the password is compared with the new one, a moment later. */
  private async signIn(credentials: LoginDto, options: SignInOptions) {
    return this.prove(credentials, options).catch(async (error: unknown) => {
      if (!(error instanceof StaleCredentialsError)) throw error;
      await setTimeout(1050);
      return this.prove(credentials, options);
    });
  }

  private async prove({ email, password }: LoginDto, options: SignInOptions) {
    const provedAt = new Date();
    const user = await this.users.verify(email, password);
    if (user === null) throw new UnauthorizedException('The address or the password is wrong.');
    return this.sessions.signIn({ userId: user.id }, { ...options, provedAt });
  }
}
