/**
 * What the snippets of the documentation take for granted: the library, Nest, TypeORM's operators, and a small application.
 * A snippet gets every name of this file that it does not import or declare itself.
 */
import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { ExecutionContext, INestApplication } from '@nestjs/common';
import type { Observable } from 'rxjs';
import type { DataSource, QueryRunner } from 'typeorm';
import type { WebSocket } from 'ws';
import type { SessionContext } from '../../libs/sessions/src/context/index.js';
import type { SubscriptionSessions } from '../../libs/sessions/src/graphql/index.js';
import type { IoRedisClient } from '../../libs/sessions/src/cache/channels/redis-channel.js';
import {
  type LiveSessions,
  type SessionCookies,
  type RefusalBudget,
  type SessionEvents,
  type SessionsMetrics,
  type SessionOf,
  type SessionsAdapter,
  SessionsModule,
  SessionsTable,
} from '../../libs/sessions/src/index.js';

export * from '../../libs/sessions/src/index.js';
export * from '../../libs/sessions/src/context/index.js';
export * from '../../libs/sessions/src/platform-socket.io/index.js';
export * from '../../libs/sessions/src/graphql/index.js';
export * from '../../libs/sessions/src/platform-ws/index.js';
export * from '../../libs/sessions/src/swagger/index.js';
export * from '../../libs/sessions/src/testing/index.js';
export type { IncomingMessage } from 'node:http';
export {
  Body,
  type CallHandler,
  type CanActivate,
  Controller,
  Delete,
  type ExecutionContext,
  ForbiddenException,
  Get,
  Injectable,
  Module,
  type NestInterceptor,
  Param,
  type PipeTransform,
  Post,
  Req,
  Res,
  Sse,
  UseGuards,
} from '@nestjs/common';
export { ApiOkResponse, DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
export { NestFactory } from '@nestjs/core';
export { Test } from '@nestjs/testing';
export { ScheduleModule } from '@nestjs/schedule';
export { InjectRepository, TypeOrmModule } from '@nestjs/typeorm';
export { interval, takeUntil, tap } from 'rxjs';
export {
  And,
  Between,
  DataSource,
  In,
  IsNull,
  LessThan,
  Like,
  type MigrationInterface,
  MoreThan,
  Not,
  Or,
  type QueryRunner,
  Repository,
} from 'typeorm';

export class User {
  id!: string;
  name!: string;
  age!: number;
  role!: string;
  passwordHash!: string;
}

export class Project {
  id!: string;
}

export class Sessions extends SessionsTable({
  extraFields: {
    userId: { type: 'string', index: true },
    note: { type: 'string', nullable: true },
    user: { manyToOne: () => User, joinColumn: 'userId' },
  },
}) {}

export class ApiKeys extends SessionsTable({
  table: 'api_keys',
  extraFields: { projectId: { type: 'uuid' } },
  scopes: ['posts:read', 'posts:write'],
}) {}

export class AccountService {}

export class AppModule {}

/** A client of Redis, as the application has it. */
export declare const redis: IoRedisClient;
/** A client of a WebSocket gateway, and the request that it came with. */
export declare const client: WebSocket;
export declare const handshake: IncomingMessage;
export declare const upstream: EventEmitter & { close(): void };
export declare const prices: Observable<number>;
export declare const live: LiveSessions;
export declare const subscriptions: SubscriptionSessions;
export declare const app: INestApplication;
export declare const context: ExecutionContext & SessionContext<Sessions>;
export declare function sendDigest(): Promise<void>;
export declare function ulid(): string;
export declare const dataSource: DataSource;
export declare const queryRunner: QueryRunner;
export declare const adapter: SessionsAdapter;
export declare const sessions: Sessions;
export declare const apiKeys: ApiKeys;
export declare const projectId: string;
export declare const session: SessionOf<Sessions>;
export declare const presented: SessionOf<Sessions> | undefined;
export declare const events: SessionEvents;
export declare const metrics: SessionsMetrics;
export declare const budget: RefusalBudget;
export declare const cookies: SessionCookies;
export declare const response: unknown;
export declare const users: {
  verify(email: string, password: string): Promise<User>;
  hash(password: string): Promise<string>;
};
export declare const provedAt: Date;
export declare const email: string;
export declare const password: string;
export declare const token: string;
export declare const url: string;
export declare const now: Date;
export declare const yesterday: Date;
export declare const tomorrow: Date;

export const features = [SessionsModule.forFeature(Sessions), SessionsModule.forFeature(ApiKeys)];
