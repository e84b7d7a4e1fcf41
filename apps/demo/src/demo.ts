import type { NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';
import { answerBadRequests } from './http/bad-request.js';
import { serveDocs } from './openapi/docs.js';

/** Where the demo has its data. */
export function databaseUrl(): string {
  return process.env['DATABASE_URL'] || 'sqlite:demo.sqlite';
}

/** The application, ready to listen. Its settings come from the environment. */
export async function createDemo(options: NestApplicationOptions = {}): Promise<NestExpressApplication> {
  // Browsers keep connections open for requests to come, which would hold up the shutdown.
  const module = AppModule.at(databaseUrl());
  const app = await NestFactory.create<NestExpressApplication>(module, { forceCloseConnections: true, ...options });
  // Without it, all who come by a proxy are one client.
  app.set('trust proxy', Number(process.env['DEMO_PROXIES'] ?? 0));
  answerBadRequests(app.getHttpServer());
  // Also for forms without a session, such as that for signing in.
  app.enableCsrfProtection();
  serveDocs(app);
  return app;
}
