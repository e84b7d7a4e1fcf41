import { QueryFailedError } from 'typeorm';
import { expect, it } from 'vitest';
import { SessionsUnavailableError, UnreadableRowError } from './errors.js';
import { isOutage } from './outages.js';

const coded = (codes: object): Error => Object.assign(new Error('failed'), codes);
/** The error itself, and as wrapped by TypeORM. */
const bothOf = (error: Error): Error[] => [error, new QueryFailedError('SELECT 1', [], error)];

it.each([
  ['a connection that ended', new Error('Connection terminated unexpectedly')],
  ['a server that refuses connections', coded({ code: 'ECONNREFUSED', errno: -111 })],
  ['a pipe that is closed', coded({ code: 'EPIPE', errno: -32 })],
  ['a connection that mysql2 lost', coded({ code: 'PROTOCOL_CONNECTION_LOST', fatal: true })],
  ['too many connections on PostgreSQL', coded({ code: '53300' })],
  ['a statement that took too long there', coded({ code: '57014' })],
  ['a file that another process has', coded({ code: 'SQLITE_BUSY' })],
  ['too many connections on MariaDB', coded({ code: 'ER_CON_COUNT_ERROR', errno: 1040 })],
  ['a pool of pg that has none to give', new Error('timeout exceeded when trying to connect')],
  ['a pool of mysql2 that has none to give', new Error('No connections available.')],
  ['a connection that ended before it began', new Error('timeout expired')],
  ['a statement that pg waits for no longer', new Error('Query read timeout')],
  ['a connection of pg that is over', new Error('Client has encountered a connection error and is not queryable')],
  ['a connection of mysql2 that is over', new Error("Can't add new command when connection is in closed state")],
  ['a data source that is closed', new Error('Driver not Connected')],
  ['a data source of mysql2 that is', new Error('Connection is not established with mysql database')],
  ['a file that better-sqlite3 has closed', new TypeError('The database connection is not open')],
  ['what mysql2 says ends a connection', coded({ fatal: true })],
  ['a certificate that is over', coded({ code: 'CERT_HAS_EXPIRED' })],
  ['a socket that is closed', coded({ code: 'ERR_STREAM_DESTROYED' })],
  ['a node of Galera without its cluster', coded({ code: 'ER_UNKNOWN_COM_ERROR', errno: 1047 })],
  ['a lock that PostgreSQL was not given', coded({ code: '55P03' })],
  ['a lock that MariaDB was not given', coded({ code: 'ER_LOCK_WAIT_TIMEOUT', errno: 1205 })],
  ['a standby of PostgreSQL', coded({ code: '25006' })],
  ['a replica of MySQL', coded({ code: 'ER_OPTION_PREVENTS_STATEMENT', errno: 1290 })],
  ['a file that is not to be written', coded({ code: 'SQLITE_READONLY' })],
])('%s is an outage', (_, error) => {
  expect(bothOf(error).map(isOutage)).toEqual([true, true]);
});

it.each([
  ['a row that PostgreSQL cannot read', coded({ code: 'XX001' })],
  ['a transaction of it that has failed', coded({ code: '25P02' })],
  ['a table that it may not read', coded({ code: '42501' })],
  ['a value that it cannot convert', coded({ code: '22P02' })],
  ['a page that MariaDB cannot read', coded({ code: 'ER_NOT_KEYFILE', errno: 1034 })],
  ['a trigger of SQLite that takes no row', coded({ code: 'SQLITE_CONSTRAINT_TRIGGER' })],
  ['an error that mysql2 has no name of', coded({ errno: 4999 })],
  ["an application's transformer or subscriber", new Error('There is no such currency')],
  ['one that Node refuses', coded({ code: 'ERR_INVALID_ARG_TYPE' })],
  ["a driver's parser that stumbles", new TypeError('x is not a function')],
])('%s is none', (_, error) => {
  expect(bothOf(error).map(isOutage)).toEqual([false, false]);
});

it.each([
  [new SessionsUnavailableError('t', 'is locked.'), true],
  [new UnreadableRowError('t', 'column', {}, { cause: 'why' }), false],
  ['text', false],
])('of what this library throws, and of what is no error, only what says so is one: %s', (error, expected) => {
  expect(isOutage(error)).toBe(expected);
});
