import { Module, StandardSchemaValidationPipe } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { APP_GUARD, APP_PIPE } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';
import { TypeOrmModule } from '@nestjs/typeorm';
import { type Duration, SessionGuard, SessionsModule, type SessionsModuleOptions } from '@app/sessions';
import { dataSourceOptions } from './database/data-source.options.js';
import { ProjectsModule } from './projects/projects.module.js';
import { AccountModule } from './sessions/account.module.js';

/** Every route asks for a session of a person, unless it is public or asks for a key. */
@Module({
  imports: [
    ConfigModule.forRoot({ ignoreEnvFile: true, isGlobal: true }),
    TypeOrmModule.forRootAsync({
      inject: [ConfigService],
      useFactory: (config: ConfigService) =>
        dataSourceOptions(config.get<string>('DATABASE_URL') || 'sqlite:demo.sqlite'),
    }),
    ScheduleModule.forRoot(),
    SessionsModule.forRootAsync({
      inject: [ConfigService],
      useFactory: (config: ConfigService): SessionsModuleOptions => ({
        defaultTable: 'sessions',
        sessionTtl: config.get<Duration>('DEMO_SESSION_TTL', '7d'),
        pruning: { interval: config.get<Duration>('DEMO_PRUNING_INTERVAL', '1h') },
      }),
    }),
    AccountModule,
    ProjectsModule,
  ],
  providers: [
    { provide: APP_GUARD, useClass: SessionGuard },
    { provide: APP_PIPE, useValue: new StandardSchemaValidationPipe() },
  ],
})
export class AppModule {}
