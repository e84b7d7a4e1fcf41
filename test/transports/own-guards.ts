import { ForbiddenException, Injectable, Scope } from '@nestjs/common';
import { SessionGuard } from '@app/sessions';

@Injectable()
class Bans {
  has(userId: unknown): boolean {
    return userId === 'eve';
  }
}

@Injectable({ scope: Scope.REQUEST })
class BansOfCall extends Bans {}

/** Refuses whom something of the application's own knows. */
abstract class BanGuard extends SessionGuard {
  protected abstract readonly bans: Bans;

  protected override async authorize(...[context, session, request]: Parameters<SessionGuard['authorize']>) {
    await super.authorize(context, session, request);
    if (this.bans.has(Reflect.get(session, 'userId'))) throw new ForbiddenException('Banned.', { errorCode: 'BANNED' });
  }
}

/** One that Nest makes once. */
@Injectable()
export class OwnGuard extends BanGuard {
  constructor(protected readonly bans: Bans) {
    super();
  }
}

/** One that Nest makes for each call. */
@Injectable()
export class GuardOfCall extends BanGuard {
  constructor(protected readonly bans: BansOfCall) {
    super();
  }
}

/** What these guards depend on. */
export const BANS = [Bans, BansOfCall];
