import { Module } from '@nestjs/common';
import { Mailer } from './mailer.js';
import { Outbox } from './outbox.js';

@Module({
  providers: [Outbox, { provide: Mailer, useExisting: Outbox }],
  exports: [Outbox, Mailer],
})
export class MailModule {}
