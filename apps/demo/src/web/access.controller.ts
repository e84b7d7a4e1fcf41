import { Body, Get, HttpStatus, Query, Redirect, Req, Res } from '@nestjs/common';
import { type ClientRequest, CurrentSession, OptionalSession, Public, SessionCookies } from '@app/sessions';
import { LogInService } from '../sessions/log-in.service.js';
import { FINISH_SIGN_UP, LOGIN, SIGN_UP } from '../sessions/login.js';
import { type Session, Sessions } from '../sessions/sessions.js';
import { SignUpService } from '../sessions/sign-up.service.js';
import { InvalidForm, received, refused } from './forms.js';
import { after } from './notices.js';
import { HOME, ownPath } from './own-path.js';
import { signInPage } from './pages/access.pages.js';
import { deadLinkPage, finishPage, sentPage, signUpPage } from './pages/sign-up.pages.js';
import { type Next, PageController, PostForm } from './routes.js';

/** Signing in and out. */
@PageController()
export class AccessController {
  constructor(
    private readonly sessions: Sessions,
    private readonly signUps: SignUpService,
    private readonly logIns: LogInService,
    private readonly cookies: SessionCookies,
  ) {}

  @OptionalSession()
  @Get()
  @Redirect(undefined, HttpStatus.SEE_OTHER)
  start(@CurrentSession() session: Session | undefined): Next {
    return { url: session ? HOME : '/sign-in' };
  }

  @Public()
  @Get('sign-in')
  showSignIn(@Query() { next, done, why }: Readonly<Record<string, unknown>>): string {
    return signInPage({ next: ownPath(next), done, why });
  }

  /** Replaces a session that the browser already has. @see OWASP ASVS 5.0, 7.2.4 */
  @OptionalSession()
  @PostForm('sign-in')
  async signIn(
    @Body() sent: Readonly<Record<string, unknown>> | undefined,
    @Req() request: ClientRequest,
    @CurrentSession() presented: Session | undefined,
    @Res({ passthrough: true }) response: unknown,
  ): Promise<Next> {
    const next = ownPath(sent?.['next']);
    const { state, value } = received(LOGIN, sent);
    if (!value) throw new InvalidForm(signInPage({ next, state }));
    const session = await this.logIns.logIn(value.email, value.password, { request, presented });
    if (session === null) {
      const problems = { password: 'The e-mail address or the password is wrong.' };
      throw new InvalidForm(signInPage({ next, state: refused(state, problems) }));
    }
    this.cookies.set(response, session);
    return { url: next };
  }

  @Public()
  @Get('sign-up')
  showSignUp(): string {
    return signUpPage();
  }

  @Public()
  @PostForm('sign-up')
  async signUp(@Body() sent: unknown, @Req() request: ClientRequest): Promise<Next> {
    const { state, value } = received(SIGN_UP, sent);
    if (!value) throw new InvalidForm(signUpPage(state));
    await this.signUps.begin(value.email, request);
    return { url: '/sign-up/sent' };
  }

  @Public()
  @Get('sign-up/sent')
  showSent(): string {
    return sentPage();
  }

  /** The link in the mail. Opening it does not use it up. */
  @Public()
  @Get('sign-up/finish')
  async showFinish(@Query('token') token: unknown): Promise<string> {
    const email = await this.signUps.emailOf(token);
    return email === null ? deadLinkPage() : finishPage(email, String(token));
  }

  @OptionalSession()
  @PostForm('sign-up/finish')
  async finishSignUp(
    @Body() sent: Readonly<Record<string, unknown>> | undefined,
    @Req() request: ClientRequest,
    @CurrentSession() presented: Session | undefined,
    @Res({ passthrough: true }) response: unknown,
  ): Promise<Next> {
    const { state, value } = received(FINISH_SIGN_UP, sent);
    const token = sent?.['token'];
    const email = await this.signUps.emailOf(token);
    if (email === null) throw new InvalidForm(deadLinkPage());
    if (!value) throw new InvalidForm(finishPage(email, String(token), state));
    const session = await this.signUps.finish(value.token, value.password, { request, presented });
    if (session === null) throw new InvalidForm(deadLinkPage());
    this.cookies.set(response, session);
    return after('signed-up', HOME);
  }

  /** Succeeds even if the session was ended elsewhere in the meantime. */
  @OptionalSession()
  @PostForm('sign-out')
  async signOut(
    @CurrentSession() session: Session | undefined,
    @Res({ passthrough: true }) response: unknown,
  ): Promise<Next> {
    if (session) await this.sessions.revoke(session);
    this.cookies.clear(response);
    return after('signed-out', '/sign-in');
  }
}
