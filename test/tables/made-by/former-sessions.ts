import { Injectable } from '@nestjs/common';
import { SessionGuard, SessionsTable } from '@app/sessions';

export class UserSessions extends SessionsTable({
  table: 'user_sessions',
  extraFields: { userId: { type: 'string', index: true } },
  credentials: ['bearer', 'cookie'],
  cookie: { name: 'connect.sid' },
}) {}

@Injectable()
export class FormerCookieGuard extends SessionGuard {
  /** In the cookies of better-auth and express-session a signature follows the token, after a dot. */
  protected override authenticate(...[given, request, authoritative]: Parameters<SessionGuard['authenticate']>) {
    const token = /^(?:s(?::|%3A))?([\w-]+)\./.exec(given.token)?.[1] ?? given.token;
    return super.authenticate({ ...given, token }, request, authoritative);
  }
}
