// One node of a cluster, as a process of its own: an application with an expiry job on the database of DATABASE_URL.
// Its parent hears every line that it logs; at the message 'stop' it closes.
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';
import { TypeOrmModule } from '@nestjs/typeorm';

// It ends with its parent, however that ends.
const orphaned = () => process.exit(1);
process.once('disconnect', orphaned);

const { DATABASE_URL: url, DATABASE_TYPE: type, LIBRARY: library } = process.env;
const { SessionsModule, SessionsTable } = await import(library);

class Sessions extends SessionsTable({ extraFields: { note: { type: 'string', nullable: true } } }) {}

class Application {}
Module({
  imports: [
    TypeOrmModule.forRoot({ type, url, autoLoadEntities: true }),
    ScheduleModule.forRoot(),
    SessionsModule.forRoot({ pruning: { interval: 0.1, batchSize: 50 } }),
    SessionsModule.forFeature(Sessions),
  ],
})(Application);

const tell = (line) => process.send?.(String(line));
const logger = { log: tell, debug: tell, warn: tell, error: tell, fatal: tell };
const application = await NestFactory.createApplicationContext(Application, { logger });
process.on('message', (message) => {
  if (message !== 'stop') return;
  process.off('disconnect', orphaned);
  void application.close().then(() => process.disconnect());
});
