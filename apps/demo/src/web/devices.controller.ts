import { Get, Param, Query, Res, Sse } from '@nestjs/common';
import { CurrentSession, RequireFresh, SessionCookies } from '@app/sessions';
import { filter, map, type Observable } from 'rxjs';
import { Not } from 'typeorm';
import { type Session, Sessions } from '../sessions/sessions.js';
import { UsersService } from '../users/users.service.js';
import { partOf } from './elements.js';
import { after } from './notices.js';
import { HOME } from './own-path.js';
import { devicesPage } from './pages/devices.page.js';
import { type Next, PageController, PostForm } from './routes.js';

/** A user's sessions. @see OWASP ASVS 5.0, 7.4.2 and 7.5.2 */
@PageController('account/devices')
export class DevicesController {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: Sessions,
    private readonly cookies: SessionCookies,
  ) {}

  @Get()
  async show(@CurrentSession() current: Session, @Query() query: Readonly<Record<string, unknown>>): Promise<string> {
    const others = { userId: current.userId, id: Not(current.id) };
    const valid = this.sessions.query({ ...others, status: 'valid' });
    const ended = this.sessions.query([
      { ...others, status: 'expired' },
      { ...others, status: 'revoked' },
    ]);
    const [{ email }, ...counted] = await Promise.all([this.users.get(current.userId), valid.count(), ended.count()]);
    const counts = { valid: counted[0], ended: counted[1] };
    const show = query['show'] === 'ended' ? 'ended' : 'valid';
    const part = partOf(counts[show], query['page']);
    const sessions = await { valid, ended }[show].skip(part.skip).take(part.take).all();
    return devicesPage({ email, current, sessions, show, counts, part, done: query['done'] });
  }

  /** Tells an open page about changes on other devices. It ends with the session of this device. */
  @Sse('events')
  events(@CurrentSession() current: Session): Observable<string> {
    return this.sessions.eventsOf('created', 'revoked', 'expired', 'deleted').pipe(
      filter(({ session: { id, userId } }) => userId === current.userId && id !== current.id),
      map(({ type }) => type),
    );
  }

  @RequireFresh('10m')
  @PostForm(':id/sign-out')
  async signOut(@CurrentSession('userId') userId: string, @Param('id') id: string): Promise<Next> {
    const revoked = await this.sessions.revokeAll({ id, userId });
    return after(revoked > 0 ? 'device-signed-out' : 'nothing-to-sign-out', HOME);
  }

  @RequireFresh('10m')
  @PostForm('sign-out-others')
  async signOutOthers(@CurrentSession() current: Session): Promise<Next> {
    await this.sessions.revokeOthers(current, { userId: current.userId });
    return after('others-signed-out', HOME);
  }

  @RequireFresh('10m')
  @PostForm('sign-out-everywhere')
  async signOutEverywhere(
    @CurrentSession('userId') userId: string,
    @Res({ passthrough: true }) response: unknown,
  ): Promise<Next> {
    await this.sessions.revokeAll({ userId });
    this.cookies.clear(response);
    return after('signed-out-everywhere', '/sign-in');
  }
}
