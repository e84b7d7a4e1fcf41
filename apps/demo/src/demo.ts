import type { NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';
import { answerBadRequests } from './http/bad-request.js';
import { serveDocs } from './openapi/docs.js';

/** The demo's database. */
export function databaseUrl(): string {
  return process.env['DATABASE_URL'] || 'sqlite:demo.sqlite';
}

/** The application, ready to listen, with settings from the environment. */
export async function createDemo(options: NestApplicationOptions = {}): Promise<NestExpressApplication> {
  // Browsers keep idle connections open, which would delay the shutdown.
  const module = AppModule.at(databaseUrl());
  const app = await NestFactory.create<NestExpressApplication>(module, { forceCloseConnections: true, ...options });
  // Without this, all clients behind a proxy count as one.
  app.set('trust proxy', Number(process.env['DEMO_PROXIES'] ?? 0));
  answerBadRequests(app.getHttpServer());
  // Also covers forms without a session, such as sign-in.
  app.enableCsrfProtection();
  serveDocs(app);
  return app;
}
