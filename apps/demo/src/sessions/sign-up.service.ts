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

/** How people get an account. Only who reads the mail of an address is told whether it has one. */
@Injectable()
export class SignUpService {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: Sessions,
    private readonly signUps: SignUps,
    private readonly guesses: Guesses,
    private readonly mailer: Mailer,
  ) {}

  /** Writes to an address: by the same statements whether it is known, so in the same time. It counts as a guess. */
  async begin(address: string, request: ClientRequest): Promise<void> {
    const email = address.toLowerCase();
    await this.guesses.passwords.attempt(request, email, async () => {
      const { authToken } = await this.signUps.create({ email });
      const mail = (await this.users.isKnown(email))
        ? {
            subject: 'You have an account already',
            text: 'Somebody, most likely you, wanted to sign up with this address, which has an account. Sign in:',
            link: '/sign-in',
          }
        : {
            subject: 'Finish signing up',
            text: 'Choose a password to make your account. The link is good for an hour:',
            link: `/sign-up/finish?token=${authToken}`,
          };
      await this.mailer.send({ to: email, ...mail });
      return null;
    });
  }

  /** Whose link it is; `null` where it has been used, or is too old. */
  async emailOf(token: unknown): Promise<string | null> {
    return (await this.signUps.authenticate(token))?.email ?? null;
  }

  /** Makes the account of a link, and signs in; `null` where the link is used or too old, or its address has an account by now. */
  async finish(token: string, password: string, { request, presented }: Device): Promise<WithToken<Session> | null> {
    // Who has no link has nothing hashed.
    if ((await this.emailOf(token)) === null) return null;
    const passwordHash = await hashPassword(password);
    const link = await this.signUps.takeOnce({ authToken: token });
    const userId = link && (await this.users.insert(link.email, passwordHash));
    if (userId === null) return null;
    return this.sessions.signIn({ userId, data: dataOf(request) }, { replaces: presented, request });
  }
}
