import { Injectable } from '@nestjs/common';
import { Transactions } from '../database/transactions.js';
import { hashPassword } from '../users/password.js';
import { UsersService } from '../users/users.service.js';
import { type Session, Sessions } from './sessions.js';

/** Changes passwords. */
@Injectable()
export class PasswordChange {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: Sessions,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Changes the password of a session's user, and returns how many other sessions it ended, since somebody who knew the old
   * one may have some. It ends the sessions first, so that sign-ins with the old password wait for the change. @see ASVS 7.4.3
   */
  async change(session: Session, password: string): Promise<number> {
    const { userId } = session;
    // Hashing takes long, so it runs before the transaction.
    const hash = await hashPassword(password);
    return this.transactions.run(async (manager) => {
      const ended = await this.sessions.revokeOthers(session, { userId }, { reason: 'credentials_changed', manager });
      await this.users.setPasswordHash(userId, hash, manager);
      return ended;
    });
  }
}
