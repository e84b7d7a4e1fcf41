import { Module } from '@nestjs/common';
import { SessionsModule } from '@app/sessions';
import { Sessions } from '../sessions/sessions.js';
import { DailyCounts } from './daily-counts.js';
import { SessionTotals } from './session-totals.js';

@Module({
  imports: [SessionsModule.forFeature(Sessions)],
  providers: [DailyCounts, SessionTotals],
  exports: [DailyCounts, SessionTotals],
})
export class StatisticsModule {}
