import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { DemoApp } from './support/demo-app.js';
import { breaksLines, carryOneToken, hostileHeaders } from './support/hostile-headers.js';
import { Person } from './support/person.js';
import { RawConnection, type RawHeaders, rawRequest } from './support/raw-connection.js';
import { UNTIL_IT_HANGS } from '../support/until.js';

const REQUESTS = 10_000;

/** By the digest, and by the digests of tokens that were replaced; why it is refused, which the log of activity is told, costs none. */
const LOOK_UPS = 2;

let database: TestDatabase;
let app: DemoApp;
let connection: RawConnection;
let ada: Person;
beforeAll(async () => {
  database = await createDatabase('sqlite');
  app = await DemoApp.start(database.url);
  ada = await Person.new(app);
  // The log of activity and the daily counts are written, so that all queries from here on are those of requests.
  const isSent = (start: string): boolean => app.queries.statements.some((text) => text.startsWith(start));
  for (const table of ['activity', 'daily_counts'])
    await vi.waitUntil(() => isSent(`INSERT INTO "${table}"`), UNTIL_IT_HANGS);
  connection = new RawConnection(app.port);
});
afterAll(async () => {
  connection.close();
  await app.close();
  await database.drop();
});

const statusesOf = async (headers: RawHeaders): Promise<number[]> => {
  const request = rawRequest('/api/me', headers);
  return breaksLines(headers) ? connection.statusesOf(request) : [await connection.statusOf(request)];
};

const bearer = (token: string): RawHeaders => [['Authorization', Buffer.from(`Bearer ${token}`)]];

it('answers 10,000 hostile Authorization headers with 401 or 400, and asks the database about none that is malformed', async () => {
  const seen = { refused: 0, malformed: 0, asked: 0, huge: 0 };
  const property = fc.asyncProperty(hostileHeaders, async (headers) => {
    const before = app.queries.statements.length;
    const statuses = await statusesOf(headers);
    const queries = app.queries.statements.length - before;
    const asks = carryOneToken(headers);
    seen.refused += Number(statuses.includes(400));
    seen.malformed += Number(statuses.includes(401) && !asks);
    seen.asked += Number(asks);
    seen.huge += Number(headers.some(([, value]) => value.length > 100_000));
    if (statuses.length === 0 || statuses.some((status) => status !== 400 && status !== 401)) return false;
    // A line that ends inside a value may leave a whole token before it.
    return breaksLines(headers) ? queries <= LOOK_UPS : queries === (asks ? LOOK_UPS : 0);
  });
  // What failed may be a megabyte of control characters: its seed says enough.
  const { failed, seed, numRuns } = await fc.check(property, { numRuns: REQUESTS, endOnFailure: true });
  if (failed) throw new Error(`fast-check seed ${seed}, run ${numRuns}`);
  expect(numRuns).toBe(REQUESTS);
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
});

it('asks the database twice about a token that is well-formed and unknown', async () => {
  expect(await app.queries.countOf(() => statusesOf(bearer('a'.repeat(64))))).toBe(LOOK_UPS);
});

it.each([
  ['the NUL character', Buffer.from('Bearer \0')],
  ['a megabyte', Buffer.alloc(1_000_000, 'a')],
  ['a megabyte of NUL characters', Buffer.alloc(1_000_000)],
  ['a header without end', Buffer.alloc(20_000, 'Bearer ')],
])('answers 400 to what the parser of Node refuses: %s', async (_, value) => {
  expect(await statusesOf([['Authorization', value]])).toEqual([400]);
});

it('reads on after the refusal, so that no reset takes the answer away (RFC 9112, 9.6)', async () => {
  expect(await statusesOf([['Authorization', Buffer.alloc(10_000_000, 'a')]])).toEqual([400]);
  expect(await connection.ended()).toBeUndefined();
});

it('answers 400 to two tokens (RFC 6750, 3.1)', async () => {
  expect(await statusesOf([...bearer(ada.token), ...bearer(ada.token)])).toEqual([400]);
});

it('serves on: the token of a session is let through on the same connection', async () => {
  await statusesOf(bearer('\u00FF'));
  expect(await statusesOf(bearer(ada.token))).toEqual([200]);
});
