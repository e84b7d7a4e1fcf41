import { Body, ConflictException, Get, HttpStatus, Query, Redirect, Req, Res } from '@nestjs/common';
import { type ClientRequest, CurrentSession, OptionalSession, Public, SessionCookies } from '@app/sessions';
import { LogInService } from '../sessions/log-in.service.js';
import { dataOf, LOGIN, SIGN_UP } from '../sessions/login.js';
import { type Session, Sessions } from '../sessions/sessions.js';
import { UsersService } from '../users/users.service.js';
import { InvalidForm, received, refused } from './forms.js';
import { after } from './notices.js';
import { HOME, ownPath } from './own-path.js';
import { signInPage, signUpPage } from './pages/access.pages.js';
import { type Next, PageController, PostForm } from './routes.js';

/** How people get in and out. */
@PageController()
export class AccessController {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: Sessions,
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

  /** A session that the browser has already is replaced. @see OWASP ASVS 5.0, 7.2.4 */
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
  showSignUp(@Query('next') next: unknown): string {
    return signUpPage({ next: ownPath(next) });
  }

  @OptionalSession()
  @PostForm('sign-up')
  async signUp(
    @Body() sent: Readonly<Record<string, unknown>> | undefined,
    @Req() request: ClientRequest,
    @CurrentSession() presented: Session | undefined,
    @Res({ passthrough: true }) response: unknown,
  ): Promise<Next> {
    const next = ownPath(sent?.['next']);
    const { state, value } = received(SIGN_UP, sent);
    if (!value) throw new InvalidForm(signUpPage({ next, state }));
    const user = await this.users.signUp(request, value.email, value.password).catch((error: unknown) => {
      if (!(error instanceof ConflictException)) throw error;
      const problems = { email: 'There is an account with this e-mail address already.' };
      throw new InvalidForm(signUpPage({ next, state: refused(state, problems) }));
    });
    const attributes = { userId: user.id, data: dataOf(request) };
    this.cookies.set(response, await this.sessions.signIn(attributes, { replaces: presented, request }));
    return next === HOME ? after('signed-up', HOME) : { url: next };
  }

  /** Also for a session that was ended elsewhere meanwhile: what is wanted is so already. */
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
