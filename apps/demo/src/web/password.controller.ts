import { Body, Get, Query, Req, Res } from '@nestjs/common';
import { type ClientRequest, CurrentSession, RequireFresh, SessionCookies } from '@app/sessions';
import { body, NEW_PASSWORD, PASSWORD } from '../http/schemas.js';
import { LogInService } from '../sessions/log-in.service.js';
import { PasswordChange } from '../sessions/password-change.js';
import { type Session, Sessions } from '../sessions/sessions.js';
import { UsersService } from '../users/users.service.js';
import { InvalidForm, received, refused } from './forms.js';
import { after } from './notices.js';
import { ownPath } from './own-path.js';
import { confirmPage } from './pages/access.pages.js';
import { passwordPage } from './pages/password.page.js';
import { type Next, PageController, PostForm } from './routes.js';

const PROOF = body({ password: PASSWORD });
const CHANGE = body({ password: NEW_PASSWORD });

type Sent = Readonly<Record<string, unknown>> | undefined;

/** Password pages, for users who have just confirmed their password. */
@PageController('account')
export class PasswordPagesController {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: Sessions,
    private readonly logIns: LogInService,
    private readonly passwords: PasswordChange,
    private readonly cookies: SessionCookies,
  ) {}

  @Get('confirm')
  async showConfirm(@CurrentSession('userId') userId: string, @Query('next') next: unknown): Promise<string> {
    const { email } = await this.users.get(userId);
    return confirmPage({ next: ownPath(next) }, email);
  }

  /** The browser gets a new token, and the previous one is refused. @see OWASP ASVS 5.0, 7.2.4 */
  @PostForm('confirm')
  async confirm(
    @CurrentSession() session: Session,
    @Body() sent: Sent,
    @Req() request: ClientRequest,
    @Res({ passthrough: true }) response: unknown,
  ): Promise<Next> {
    const next = ownPath(sent?.['next']);
    const { state, value } = received(PROOF, sent);
    if (!value || !(await this.logIns.confirm(session, value.password, request))) {
      const { email } = await this.users.get(session.userId);
      const shown = value ? refused(state, { password: 'The password is wrong.' }) : state;
      throw new InvalidForm(confirmPage({ next, state: shown }, email));
    }
    this.cookies.set(response, await this.sessions.reauthenticate(session));
    return { url: next };
  }

  @RequireFresh('10m')
  @Get('password')
  async showPassword(@CurrentSession('userId') userId: string, @Query('done') done: unknown): Promise<string> {
    const { email } = await this.users.get(userId);
    return passwordPage({ email, done });
  }

  /** Also ends all other sessions. @see OWASP ASVS 5.0, 7.4.3 and 7.5.1 */
  @RequireFresh('10m')
  @PostForm('password')
  async change(@CurrentSession() session: Session, @Body() sent: Sent): Promise<Next> {
    const { userId } = session;
    const { state, value } = received(CHANGE, sent);
    if (!value) throw new InvalidForm(passwordPage({ email: (await this.users.get(userId)).email, state }));
    await this.passwords.change(session, value.password);
    return after('password-changed', '/account/password');
  }
}
