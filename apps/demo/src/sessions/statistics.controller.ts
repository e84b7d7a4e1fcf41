import { Controller, Get } from '@nestjs/common';
import { Public } from '@app/sessions';
import { Sessions } from './sessions.js';

interface Statistics {
  readonly total: number;
  readonly valid: number;
  readonly expired: number;
}

@Controller('api/statistics')
export class StatisticsController {
  constructor(private readonly sessions: Sessions) {}

  /** Expired sessions are counted until the expiry job deletes them. */
  @Public()
  @Get()
  async statistics(): Promise<Statistics> {
    const valid = await this.sessions.count({ status: 'valid' });
    const expired = await this.sessions.count({ status: 'expired' });
    return { total: valid + expired, valid, expired };
  }
}
