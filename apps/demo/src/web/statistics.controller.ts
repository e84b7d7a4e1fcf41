import { Get } from '@nestjs/common';
import { CurrentSession, OptionalSession, SessionsMetrics } from '@app/sessions';
import type { Session } from '../sessions/sessions.js';
import { DailyCounts } from '../statistics/daily-counts.js';
import { SessionTotals } from '../statistics/session-totals.js';
import { statisticsPage } from './pages/statistics.page.js';
import { PageController } from './routes.js';

const DAYS = 30;

@PageController('statistics')
export class StatisticsPageController {
  constructor(
    private readonly totals: SessionTotals,
    private readonly dailyCounts: DailyCounts,
    private readonly metrics: SessionsMetrics,
  ) {}

  @OptionalSession()
  @Get()
  async show(@CurrentSession() session: Session | undefined): Promise<string> {
    const [totals, days] = await Promise.all([this.totals.get(), this.dailyCounts.list(DAYS)]);
    return statisticsPage({ totals, days, tables: this.metrics.all(), isSignedIn: session !== undefined });
  }
}
