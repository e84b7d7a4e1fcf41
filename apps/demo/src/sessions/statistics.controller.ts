import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Public } from '@app/sessions';
import { STATISTICS } from '../openapi/schemas.js';
import { Sessions } from './sessions.js';

interface Statistics {
  readonly total: number;
  readonly valid: number;
  readonly expired: number;
  readonly revoked: number;
}

@Controller('api/statistics')
export class StatisticsController {
  constructor(private readonly sessions: Sessions) {}

  /** Ended sessions count until the expiry job deletes them. */
  @ApiOperation({ summary: 'Count sessions' })
  @ApiOkResponse({ description: 'Sessions that are not deleted yet.', schema: STATISTICS })
  @Public()
  @Get()
  async statistics(): Promise<Statistics> {
    const valid = await this.sessions.count({ status: 'valid' });
    const expired = await this.sessions.count({ status: 'expired' });
    const revoked = await this.sessions.count({ status: 'revoked' });
    return { total: valid + expired + revoked, valid, expired, revoked };
  }
}
