import { setTimeout } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { type ClientRequest, StaleCredentialsError, type WithToken } from '@app/sessions';
import { UsersService } from '../users/users.service.js';
import { dataOf } from './login.js';
import { type Session, Sessions } from './sessions.js';

/** What a request to log in has beside its e-mail address and password. */
export interface Device {
  readonly request: ClientRequest;
  /** The session that the request came with. */
  readonly presented: Session | undefined;
}

/** By how much the clocks of two nodes may differ, and a moment more. */
const AFTER_CHANGE_MS = 1050;

/** How users who have a password get a session. */
@Injectable()
export class LogInService {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: Sessions,
  ) {}

  /**
   * A session; `null` where the password is wrong. One that has just been changed, or is while it is compared, is compared once
   * more a second later, so that the old one is wrong, and the new one right. @see ASVS 7.2.4 and 7.4.3
   */
  async logIn(email: string, password: string, device: Device): Promise<WithToken<Session> | null> {
    const session = this.#prove(email, password, device);
    return session.catch(async (error: unknown) => {
      if (!(error instanceof StaleCredentialsError)) throw error;
      await setTimeout(AFTER_CHANGE_MS);
      return this.#prove(email, password, device);
    });
  }

  async #prove(email: string, password: string, { request, presented }: Device): Promise<WithToken<Session> | null> {
    const provedAt = new Date();
    const user = await this.users.verify(email, password);
    if (user === null) return null;
    return this.sessions.signIn({ userId: user.id, data: dataOf(request) }, { replaces: presented, provedAt, request });
  }
}
