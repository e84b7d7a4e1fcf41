// One process of an application with a near cache: its rows are at DATABASE_URL, its channel at CHANNEL_URL. It does what its
// parent asks for, one thing after the other, and tells it every line that it logs.
import { setImmediate } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Redis } from 'ioredis';
import { DataSource } from 'typeorm';

// It ends with its parent, however that ends.
process.once('disconnect', () => process.exit());

const { DATABASE_URL: url, DATABASE_TYPE: type, CHANNEL_URL: channelUrl, TTL: ttl, LIBRARY: library } = process.env;
const { PostgresChannel, RedisChannel, SessionsModule, SessionsTable } = await import(library);

class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string' } }, revocation: true }) {}

/** Sent to the database of the rows. */
let statements = 0;
const count = () => statements++;
const ignore = () => undefined;
const queries = { logQuery: count, logQueryError: ignore, logQuerySlow: ignore, logSchemaBuild: ignore, log: ignore };

async function openChannel() {
  if (!channelUrl.startsWith('redis:'))
    return new PostgresChannel(await new DataSource({ type: 'postgres', url: channelUrl, poolSize: 2 }).initialize());
  const client = new Redis(channelUrl);
  client.on('error', ignore);
  return new RedisChannel(client);
}

let load;
const opened = await openChannel();
/** The same, and the load knows what has been heard. */
const channel = {
  connect(heard, lost) {
    const hear = (message) => {
      heard(message);
      load?.hear(message);
    };
    return opened.connect(hear, lost);
  },
};

class Application {}
Module({
  imports: [
    TypeOrmModule.forRoot({ type, url, autoLoadEntities: true, logging: true, logger: queries }),
    SessionsModule.forRoot({ cache: { ttl, channel }, pruning: false }),
    SessionsModule.forFeature(Sessions),
  ],
})(Application);

const tell = (line) => process.send(String(line));
const logger = { log: tell, debug: tell, warn: tell, error: tell, fatal: tell };
const application = await NestFactory.createApplicationContext(Application, { logger });
const sessions = application.get(Sessions);

async function isAccepted(token) {
  return (await sessions.authenticate(token)) !== null;
}

/** Asks for the tokens of all of these sessions again and again, in several loops. */
class Load {
  #requests = 0;
  #heard = new Set();
  #refused = new Set();
  #stale = [];
  #before = statements;
  #isOver = false;
  #loops;

  constructor(among) {
    this.among = among;
    this.#loops = Promise.all([0, 0.25, 0.5, 0.75].map((part) => this.#loop(Math.floor(part * among.length))));
  }

  /** A message that the cache has heard. */
  hear(message) {
    for (const { id } of this.among) if (message.includes(id)) this.#heard.add(id);
  }

  get seen() {
    const [heard, refused] = [[...this.#heard], [...this.#refused]];
    return { requests: this.#requests, statements: statements - this.#before, heard, refused, stale: this.#stale };
  }

  async end() {
    this.#isOver = true;
    await this.#loops;
    return this.seen;
  }

  async #loop(begin) {
    for (let i = begin; !this.#isOver; i = (i + 1) % this.among.length) {
      const { id, authToken } = this.among[i];
      const hasEnded = this.#heard.has(id) || this.#refused.has(id);
      if (!(await isAccepted(authToken))) this.#refused.add(id);
      else if (hasEnded) this.#stale.push(id);
      this.#requests++;
      await setImmediate();
    }
  }
}

const QUESTIONS = {
  async look({ token }) {
    const before = statements;
    return { accepted: await isAccepted(token), statements: statements - before };
  },
  load: ({ among }) => void (load = new Load(among)),
  seen: () => load.seen,
  endLoad: () => load.end(),
};

async function answer(question) {
  process.send({ answer: await QUESTIONS[question.ask](question) });
}

process.on('message', (question) => void answer(question));
