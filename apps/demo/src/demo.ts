import type { INestApplication, NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { answerBadRequests } from './http/bad-request.js';

/** The application, ready to listen. Its settings come from the environment. */
export async function createDemo(options: NestApplicationOptions = {}): Promise<INestApplication> {
  // Browsers keep connections open for requests to come, which would hold up the shutdown.
  const module = AppModule.at(process.env['DATABASE_URL'] || 'sqlite:demo.sqlite');
  const app = await NestFactory.create(module, { forceCloseConnections: true, ...options });
  answerBadRequests(app.getHttpServer());
  return app;
}
