import { type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { describe } from 'vitest';
import { LogCapture } from './log-capture.js';

export type Platform = 'express' | 'fastify';

/** Runs a suite on each of Nest's HTTP platforms. */
export function describePlatforms(title: string, suite: (platform: Platform) => void): void {
  describe.each(['express', 'fastify'] as const)(`${title} on %s`, (platform) => suite(platform));
}

/** What a client sees of a response. */
export interface HttpAnswer {
  readonly status: number;
  /** Every `WWW-Authenticate` header, as it came. */
  readonly challenges: readonly string[];
  readonly body: unknown;
}

/** The same with all headers of the response. */
export interface WholeAnswer extends HttpAnswer {
  readonly headers: IncomingHttpHeaders;
}

/** How an application is set up beside its modules. */
export interface HttpSetUp {
  /** Whether the platform believes what proxies say of a request. */
  readonly trustProxy?: boolean;
  /** What `main.ts` would do before the application listens. */
  readonly prepare?: (app: INestApplication) => unknown;
}

/** Headers of a request; a list is sent as several headers of that name. */
export type SentHeaders = Readonly<Record<string, string | readonly string[]>>;

/** An application that listens on a port of its own, and what it logs. */
export class HttpApp {
  private constructor(
    readonly nest: INestApplication,
    readonly logs: LogCapture,
    readonly port: number,
  ) {}

  static async start(
    platform: Platform,
    builder: TestingModuleBuilder | object,
    { trustProxy = false, prepare }: HttpSetUp = {},
  ): Promise<HttpApp> {
    const logs = new LogCapture();
    const module = await ('compile' in builder ? builder : Test.createTestingModule(builder)).setLogger(logs).compile();
    const nest =
      platform === 'fastify'
        ? module.createNestApplication<NestFastifyApplication>(new FastifyAdapter({ trustProxy }))
        : module.createNestApplication(new ExpressAdapter());
    if (platform === 'express') nest.getHttpAdapter().getInstance().set('trust proxy', trustProxy);
    await prepare?.(nest);
    await nest.listen(0, '127.0.0.1');
    const { port } = nest.getHttpServer().address() as AddressInfo;
    return new HttpApp(nest, logs, port);
  }

  async get(path: string, headers: SentHeaders = {}): Promise<HttpAnswer> {
    return seen(await this.send('GET', path, headers));
  }

  /** A POST of a form, as a browser sends it. */
  async postForm(path: string, fields: Readonly<Record<string, string>>): Promise<HttpAnswer> {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    return seen(await this.send('POST', path, headers, new URLSearchParams(fields).toString()));
  }

  /** By Node's client, which sends a header several times where it is told to. */
  async send(method: string, path: string, headers: SentHeaders = {}, body?: string): Promise<WholeAnswer> {
    return new Promise((resolve, reject) => {
      const sent = request({
        method,
        host: '127.0.0.1',
        port: this.port,
        path,
        agent: false,
        headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, listOf(value)])),
      });
      sent.once('error', reject);
      sent.once('response', (response) => {
        const { headers: received, rawHeaders, statusCode = 0 } = response;
        const challenges = rawHeaders.filter((_, i) => i % 2 === 1 && /^www-authenticate$/i.test(rawHeaders[i - 1]!));
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.once('error', reject);
        response.once('end', () => resolve({ status: statusCode, challenges, body: bodyOf(text), headers: received }));
      });
      sent.end(body);
    });
  }

  /** A GET with a bearer token. */
  async getAs(token: string, path: string): Promise<HttpAnswer> {
    return this.get(path, { Authorization: `Bearer ${token}` });
  }

  async close(): Promise<void> {
    await this.nest.close();
  }
}

function seen({ status, challenges, body }: WholeAnswer): HttpAnswer {
  return { status, challenges, body };
}

function listOf(value: string | readonly string[]): string | string[] {
  return typeof value === 'string' ? value : [...value];
}

function bodyOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
