import { ClassSerializerInterceptor, Module } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SessionGuard, SessionsModule } from 'nest-sessions';
import { AccountModule } from './account/account.module.js';
import { AdminController } from './admin/admin.controller.js';
import { AuditInterceptor } from './audit/audit.interceptor.js';
import { RolesGuard } from './auth/roles.guard.js';
import { connection } from './database/connection.js';
import { HealthModule } from './health/health.module.js';
import { KeysModule } from './keys/keys.module.js';
import { UsersModule } from './users/users.module.js';
import { AuditEntry } from './audit/audit-entry.entity.js';

@Module({
  imports: [
    TypeOrmModule.forRoot({ ...connection, autoLoadEntities: true }),
    TypeOrmModule.forFeature([AuditEntry]),
    ScheduleModule.forRoot(),
    SessionsModule.forRoot({ defaultTable: 'sessions' }),
    UsersModule,
    AccountModule,
    KeysModule,
    HealthModule,
  ],
  controllers: [AdminController],
  providers: [
    { provide: APP_GUARD, useClass: SessionGuard },
    { provide: APP_GUARD, useClass: RolesGuard },
    { provide: APP_INTERCEPTOR, useClass: ClassSerializerInterceptor },
    { provide: APP_INTERCEPTOR, useClass: AuditInterceptor },
  ],
})
export class AppModule {}
