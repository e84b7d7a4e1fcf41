import { Injectable } from '@nestjs/common';
import { Transactions } from '../database/transactions.js';
import { hashPassword } from '../users/password.js';
import { UsersService } from '../users/users.service.js';
import { type Session, Sessions } from './sessions.js';

/** How a user gets another password. */
@Injectable()
export class PasswordChange {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: Sessions,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Changes the password of a session's user, and says how many other sessions that ended: whoever knew the old one may have
   * some. The sessions come first, since that makes sign-ins with the old one wait until it is gone. @see ASVS 7.4.3
   */
  async change(session: Session, password: string): Promise<number> {
    const { userId } = session;
    // So long that nobody should wait for it.
    const hash = await hashPassword(password);
    return this.transactions.run(async (manager) => {
      const ended = await this.sessions.revokeOthers(session, { userId }, { reason: 'credentials_changed', manager });
      await this.users.setPasswordHash(userId, hash, manager);
      return ended;
    });
  }
}
