import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { read } from './documents.js';
import { fencesOf } from './markdown.js';
import { freePort } from '../support/free-port.js';

/** The README's quick start, as it stands there. */
export function quickStart(): string {
  return fencesOf(read('README.md')).find(({ label }) => label === 'quick start')!.code;
}

/** The same as a CommonJS application has it. */
export function commonJsQuickStart(): string {
  const bootstrap = fencesOf(read('README.md')).find(({ label }) => label === 'quick start in CommonJS')!.code;
  const code = quickStart();
  return code.slice(0, code.indexOf('const app = await')) + bootstrap;
}

/** A running quick start. */
export interface QuickStart {
  readonly url: string;
  /** What it has printed so far. */
  output(): string;
  /** Sends SIGTERM and gives the signal by which it then ended. */
  stop(): Promise<string | null>;
}

/** Starts a compiled application in its folder, by Node alone. */
export async function start(folder: string, file = 'main.js', env: NodeJS.ProcessEnv = {}): Promise<QuickStart> {
  const port = await freePort();
  const child = spawn(process.execPath, [file], {
    cwd: folder,
    env: { PATH: process.env['PATH'], PORT: String(port), ...env },
  });
  let output = '';
  child.stderr.on('data', (data) => (output += String(data)));
  child.stdout.on('data', (data) => (output += String(data)));
  // Nest says that it has started just before it listens, so only an open port tells.
  while (!(await isOpen(port))) {
    if (child.exitCode !== null) throw new Error(`The application ended with code ${child.exitCode}:\n${output}`);
    await setTimeout(20);
  }
  return { url: `http://127.0.0.1:${port}`, output: () => output, stop: () => stop(child) };
}

/** The walk-through of the README, and what it gives: log in, use the session, log out, be refused. */
export async function walkThrough(url: string): Promise<{ me: unknown; loggedOut: unknown; statuses: number[] }> {
  const login = await fetch(`${url}/login`, { method: 'POST', body: new URLSearchParams({ userId: 'ann' }) });
  const { token } = (await login.json()) as { token: string };
  const headers = { authorization: `Bearer ${token}` };
  const me = await fetch(`${url}/me`, { headers });
  const logout = await fetch(`${url}/logout`, { method: 'POST', headers });
  const after = await fetch(`${url}/me`, { headers });
  return {
    me: await me.json(),
    loggedOut: await logout.json(),
    statuses: [login, me, logout, after].map(({ status }) => status),
  };
}

async function stop(child: ChildProcess): Promise<string | null> {
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
  return child.signalCode;
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
