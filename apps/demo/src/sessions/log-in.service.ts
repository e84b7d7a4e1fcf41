import { setTimeout } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { type ClientRequest, StaleCredentialsError, type WithToken } from '@app/sessions';
import { Guesses } from '../guesses/guesses.js';
import { UsersService } from '../users/users.service.js';
import { dataOf } from './login.js';
import { type Session, Sessions } from './sessions.js';

/** The data of a login besides its e-mail address and password. */
export interface Device {
  readonly request: ClientRequest;
  /** The session that the request came with. */
  readonly presented: Session | undefined;
}

/** Slightly more than the clocks of two nodes may differ. */
const AFTER_CHANGE_MS = 1050;

/** Verifies passwords. A wrong one counts as a guess, for the address and for the account. */
@Injectable()
export class LogInService {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: Sessions,
    private readonly guesses: Guesses,
  ) {}

  /**
   * A session; `null` if the password is wrong. If the password changed just before or during the comparison, it is compared
   * again a second later, so that the old one fails and the new one works. @see ASVS 7.2.4 and 7.4.3
   */
  async logIn(email: string, password: string, device: Device): Promise<WithToken<Session> | null> {
    return this.guesses.passwords.attempt(device.request, email.toLowerCase(), () =>
      this.#prove(email, password, device).catch(async (error: unknown) => {
        if (!(error instanceof StaleCredentialsError)) throw error;
        await setTimeout(AFTER_CHANGE_MS);
        return this.#prove(email, password, device);
      }),
    );
  }

  /** Whether this is the password of a session's user. */
  async confirm({ userId }: Session, password: string, request: ClientRequest): Promise<boolean> {
    const { email } = await this.users.get(userId);
    const user = await this.guesses.passwords.attempt(request, email, () => this.users.verify(email, password));
    return user !== null;
  }

  async #prove(email: string, password: string, { request, presented }: Device): Promise<WithToken<Session> | null> {
    const provedAt = new Date();
    const user = await this.users.verify(email, password);
    if (user === null) return null;
    return this.sessions.signIn({ userId: user.id, data: dataOf(request) }, { replaces: presented, provedAt, request });
  }
}
