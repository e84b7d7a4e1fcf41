import { type DynamicModule, Module, StandardSchemaValidationPipe } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { APP_GUARD, APP_PIPE } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';
import {
  type Duration,
  SessionGuard,
  type EctoAdapter,
  SessionsModule,
  type SessionsModuleOptions,
} from '@app/sessions';
import { ActivityModule } from './activity/activity.module.js';
import { DatabaseModule, STORAGE } from './database/database.module.js';
import { Guesses } from './guesses/guesses.js';
import { GuessesModule } from './guesses/guesses.module.js';
import { ProjectsModule } from './projects/projects.module.js';
import { AccountModule } from './sessions/account.module.js';
import { WebModule } from './web/web.module.js';

/** Every route requires a user's session, unless it is public or requires a key. */
@Module({})
export class AppModule {
  /** @param databaseUrl for `DatabaseModule` */
  static at(databaseUrl: string): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot({ ignoreEnvFile: true, isGlobal: true }),
        DatabaseModule.at(databaseUrl),
        GuessesModule,
        ScheduleModule.forRoot(),
        SessionsModule.forRootAsync({
          inject: [ConfigService, STORAGE, Guesses],
          useFactory: (config: ConfigService, adapter: EctoAdapter, { tokens }: Guesses): SessionsModuleOptions => ({
            adapter,
            onRefused: tokens.onRefused,
            defaultTable: 'sessions',
            sessionTtl: config.get<Duration>('DEMO_SESSION_TTL', '7d'),
            pruning: { interval: config.get<Duration>('DEMO_PRUNING_INTERVAL', '1h') },
            // For browsers that accept no Secure cookie without HTTPS, such as Safari, and for hosts other than localhost.
            cookie: { secure: config.get('DEMO_INSECURE_COOKIE') !== 'true' },
          }),
        }),
        AccountModule,
        ActivityModule,
        ProjectsModule,
        WebModule,
      ],
      providers: [
        { provide: APP_GUARD, useClass: SessionGuard },
        { provide: APP_PIPE, useValue: new StandardSchemaValidationPipe({ maxErrorMessagesLength: 1000 }) },
      ],
    };
  }
}
