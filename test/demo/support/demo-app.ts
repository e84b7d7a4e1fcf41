import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { vi } from 'vitest';
import type { EctoAdapter } from '@app/sessions';
import { STORAGE } from '../../../apps/demo/src/database/database.module.js';
import { createDemo } from '../../../apps/demo/src/demo.js';
import type { Mail } from '../../../apps/demo/src/mail/mailer.js';
import { Outbox } from '../../../apps/demo/src/mail/outbox.js';
import { Sessions } from '../../../apps/demo/src/sessions/sessions.js';
import { ExpiryJob } from '../../../libs/sessions/src/module/expiry.job.js';
import { SessionsRegistry } from '../../../libs/sessions/src/registry/sessions.registry.js';
import { LogCapture } from '../../support/log-capture.js';
import { QueryLog } from '../../support/query-log.js';

/** What a client sees of a response. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON that came, or the text, or nothing. */
  readonly body: unknown;
}

export interface Sent {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, unless it is text. */
  readonly body?: unknown;
}

/** The demo as it is, on a port and a database of its own, with its log lines and its queries. */
export class DemoApp {
  private constructor(
    private readonly app: INestApplication,
    readonly logs: LogCapture,
    readonly queries: QueryLog,
  ) {}

  static async start(databaseUrl: string, settings: Readonly<Record<string, string>> = {}): Promise<DemoApp> {
    const logs = new LogCapture();
    const queries = new QueryLog();
    vi.stubEnv('DATABASE_URL', databaseUrl);
    for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
    try {
      const app = await createDemo({ logger: logs });
      if (databaseUrl !== 'memory:') app.get(DataSource).setOptions({ logger: queries });
      await app.listen(0, '127.0.0.1');
      // Node would close an idle connection after five seconds, also one on which a request is just being sent.
      app.getHttpServer().keepAliveTimeout = 0;
      // The run at start would delete what a test is just writing.
      for (const store of app.get(SessionsRegistry).all()) await app.get(ExpiryJob).run(store);
      return new DemoApp(app, logs, queries);
    } finally {
      vi.unstubAllEnvs();
    }
  }

  get server(): Server {
    return this.app.getHttpServer() as Server;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get dataSource(): DataSource {
    return this.app.get(DataSource);
  }

  get storage(): EctoAdapter {
    return this.app.get<EctoAdapter>(STORAGE);
  }

  get sessions(): Sessions {
    return this.app.get(Sessions);
  }

  /** The latest mail that the demo would have sent. */
  get mail(): Mail {
    return this.app.get(Outbox).mails[0]!;
  }

  async send(method: string, path: string, { token, headers = {}, body }: Sent = {}): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parsed(text) };
  }

  async close(): Promise<void> {
    await this.app.close();
  }
}

function parsed(text: string): unknown {
  try {
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return text;
  }
}
