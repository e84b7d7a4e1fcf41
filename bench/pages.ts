/** How long the demo's pages take, with a million sessions in its table on PostgreSQL and a thousand of the user's own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DataSource } from 'typeorm';
import { CleanUps } from './clean-ups.js';
import { createDatabase } from './databases.js';
import { ROOT_FOLDER } from './folders.js';
import { textTable } from './table.js';

const { values } = parseArgs({ options: { sessions: { type: 'string', default: '2000000' } } });
// Nearly half of those have expired, and are deleted before the pages are looked at.
/** Whom the seed makes. */
const LOGIN = { email: 'ada@seed.example.com', password: 'correct horse' };
const OWN = 1000;
const WARM_UPS = 3;
const TIMED = 50;
/** What no page may take longer than, in milliseconds. */
const MOST_MS = 100;

const PAGES = [
  '/sign-in',
  '/account/devices',
  '/account/devices?page=25',
  '/account/devices?show=ended',
  '/account/keys',
  '/account/activity',
  '/account/confirm',
  '/statistics',
];

const cleanUps = new CleanUps();
try {
  const database = await createDatabase('postgres', cleanUps, console.log);
  if (database) await measurePages(database.url);
} finally {
  for (const error of await cleanUps.run()) console.error(error);
}

async function measurePages(databaseUrl: string): Promise<void> {
  await once(start('seed/main.js', databaseUrl, ['--sessions', values.sessions]), 'exit');
  const url = await listening(start('main.js', databaseUrl, []));
  const cookie = await signIn(url);
  await addOwn(databaseUrl);
  const rows: string[][] = [];
  for (const path of PAGES) rows.push([path, ...(await times(`${url}${path}`, cookie))]);
  console.log(`\n${textTable({ head: ['page', 'median, ms', '95th percentile', 'longest', ''], rows })}`);
  if (rows.some((row) => row.at(-1) !== '')) process.exitCode = 1;
}

/** A process of the built demo. */
function start(file: string, databaseUrl: string, args: readonly string[]): ChildProcess {
  const path = fileURLToPath(new URL(`dist/apps/demo/apps/demo/src/${file}`, ROOT_FOLDER));
  const env = { ...process.env, DATABASE_URL: databaseUrl, PORT: '0' };
  const child = spawn(process.execPath, [path, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.pipe(process.stdout);
  cleanUps.add(async () => void child.kill('SIGKILL'));
  return child;
}

/** Where the demo listens, when it has cleaned up. */
async function listening(child: ChildProcess): Promise<string> {
  let printed = '';
  for await (const chunk of child.stdout!) {
    printed += String(chunk);
    const url = /listens at (http:\S+?):? /.exec(printed)?.[1];
    // The first run of the expiry job, which has much to do in a table that was just seeded.
    if (url && printed.includes('expired rows of "sessions" in')) return url;
  }
  throw new Error('The demo did not start.');
}

/** The cookie of a session. */
async function signIn(url: string): Promise<string> {
  const body = new URLSearchParams(LOGIN);
  const headers = { 'sec-fetch-site': 'same-origin' };
  const { headers: answered } = await fetch(`${url}/sign-in`, { method: 'POST', body, headers, redirect: 'manual' });
  const [cookie] = answered.getSetCookie();
  if (!cookie) throw new Error('Nobody could sign in.');
  return cookie.split(';')[0]!;
}

/** Further sessions of the one who signed in: past the limit of the demo, which is for sign-ins. */
async function addOwn(url: string): Promise<void> {
  const dataSource = await new DataSource({ type: 'postgres', url }).initialize();
  const columns = '"userId", data, "expiresAt", "createdAt", "updatedAt", "authenticatedAt"';
  await dataSource.query(
    `INSERT INTO sessions (id, "authTokenDigest", ${columns})
     SELECT gen_random_uuid(), sha256(concat(random(), n)::bytea), ${columns}
     FROM (SELECT * FROM sessions ORDER BY "createdAt" DESC LIMIT 1) latest, generate_series(1, ${OWN}) n`,
  );
  await dataSource.destroy();
}

async function times(url: string, cookie: string): Promise<string[]> {
  const taken: number[] = [];
  for (let i = 0; i < WARM_UPS + TIMED; i++) {
    const begin = performance.now();
    const response = await fetch(url, { headers: { cookie }, redirect: 'manual' });
    await response.text();
    if (response.status !== 200) throw new Error(`${url} answered ${response.status}.`);
    if (i >= WARM_UPS) taken.push(performance.now() - begin);
  }
  const sorted = taken.toSorted((a, b) => a - b);
  const [median, p95, longest] = [0.5, 0.95, 1].map((share) => sorted[Math.ceil(TIMED * share) - 1]!);
  return [median!.toFixed(1), p95!.toFixed(1), longest!.toFixed(1), longest! > MOST_MS ? `over ${MOST_MS} ms` : ''];
}
