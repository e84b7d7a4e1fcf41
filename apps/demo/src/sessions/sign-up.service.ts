import { Injectable } from '@nestjs/common';
import type { ClientRequest, WithToken } from '@app/sessions';
import { Guesses } from '../guesses/guesses.js';
import { Mailer } from '../mail/mailer.js';
import { hashPassword } from '../users/password.js';
import { UsersService } from '../users/users.service.js';
import type { Device } from './log-in.service.js';
import { dataOf } from './login.js';
import { type Session, Sessions } from './sessions.js';
import { SignUps } from './sign-ups.js';

/** Signing up. Only the reader of an address's mail learns whether it has an account. */
@Injectable()
export class SignUpService {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: Sessions,
    private readonly signUps: SignUps,
    private readonly guesses: Guesses,
    private readonly mailer: Mailer,
  ) {}

  /** Sends a mail. Known and unknown addresses take the same statements and time. It counts as a guess. */
  async begin(address: string, request: ClientRequest): Promise<void> {
    const email = address.toLowerCase();
    await this.guesses.passwords.attempt(request, email, async () => {
      const { authToken } = await this.signUps.create({ email });
      const mail = (await this.users.isKnown(email))
        ? {
            subject: 'You already have an account',
            text: 'Somebody, most likely you, tried to sign up with this address, which already has an account. Sign in:',
            link: '/sign-in',
          }
        : {
            subject: 'Finish signing up',
            text: 'Choose a password to create your account. The link is valid for an hour:',
            link: `/sign-up/finish?token=${authToken}`,
          };
      await this.mailer.send({ to: email, ...mail });
      return null;
    });
  }

  /** The e-mail address of a link; `null` if it has been used or has expired. */
  async emailOf(token: unknown): Promise<string | null> {
    return (await this.signUps.authenticate(token))?.email ?? null;
  }

  /** Creates the account of a link, and signs in; `null` if the link is used or expired, or its address already has an account. */
  async finish(token: string, password: string, { request, presented }: Device): Promise<WithToken<Session> | null> {
    // Without a valid link, no password is hashed.
    if ((await this.emailOf(token)) === null) return null;
    const passwordHash = await hashPassword(password);
    const link = await this.signUps.takeOnce({ authToken: token });
    const userId = link && (await this.users.insert(link.email, passwordHash));
    if (userId === null) return null;
    return this.sessions.signIn({ userId, data: dataOf(request) }, { replaces: presented, request });
  }
}
