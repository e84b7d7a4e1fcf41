import { Injectable } from '@nestjs/common';
import { type Mail, Mailer } from './mailer.js';

const KEPT = 100;

/** Keeps messages in the memory of the process, instead of sending them. */
@Injectable()
export class Outbox extends Mailer {
  readonly #mails: Mail[] = [];

  /** The latest messages, newest first. */
  get mails(): readonly Mail[] {
    return this.#mails;
  }

  override async send(mail: Mail): Promise<void> {
    this.#mails.unshift(mail);
    this.#mails.length = Math.min(this.#mails.length, KEPT);
  }
}
