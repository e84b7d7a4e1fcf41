import { Get } from '@nestjs/common';
import { Public } from '@app/sessions';
import { Outbox } from '../mail/outbox.js';
import { outboxPage } from './pages/outbox.page.js';
import { PageController } from './routes.js';

/** Shows everybody's mail to anybody. Only for development. */
@Public()
@PageController('dev')
export class OutboxController {
  constructor(private readonly outbox: Outbox) {}

  @Get('outbox')
  show(): string {
    return outboxPage(this.outbox.mails);
  }
}
