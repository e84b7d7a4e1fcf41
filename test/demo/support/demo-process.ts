import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../../../', import.meta.url);
const MAIN = fileURLToPath(new URL('dist/apps/demo/apps/demo/src/main.js', ROOT));

/** What a command wrote, and how it ended. */
export interface Finished {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Builds the demo as `npm start` does, unless it has been built since anything of it was changed. */
export async function buildDemo(): Promise<void> {
  const settings = ['apps/demo/tsconfig.app.json', 'tsconfig.json', 'nest-cli.json', 'package-lock.json'];
  const sources = ['apps/demo/src', 'libs/sessions/src', ...settings];
  const changed = sources.flatMap((name) => timesIn(fileURLToPath(new URL(name, ROOT))));
  if (existsSync(MAIN) && statSync(MAIN).mtimeMs > Math.max(...changed)) return;
  const nest = createRequire(import.meta.url).resolve('@nestjs/cli/bin/nest.js');
  const { code, stdout, stderr } = await run(process.execPath, [nest, 'build', 'demo'], ROOT);
  if (code !== 0) throw new Error(`The demo does not build:\n${stdout}${stderr}`);
}

/** When a file was changed, or a folder and what is in it, in milliseconds. */
function timesIn(path: string): number[] {
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return [mtimeMs];
  return [mtimeMs, ...readdirSync(path).flatMap((name) => timesIn(join(path, name)))];
}

/** Runs a command to its end. */
export async function run(command: string, args: readonly string[], cwd?: URL): Promise<Finished> {
  return finished(spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] }));
}

/** The built demo in a process of its own, as `npm start` runs it. */
export class DemoProcess {
  readonly #child: ChildProcess;
  readonly #finished: Promise<Finished>;
  #stdout = '';

  /** @param settings `DATABASE_URL` and the like, beside those of this process; nothing is seeded unless they say so */
  constructor(cwd: string, settings: Readonly<Record<string, string>>) {
    const env = { ...process.env, PORT: '0', NO_COLOR: '1', DEMO_SEED: 'off', ...settings };
    this.#child = spawn(process.execPath, [MAIN], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout!.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()));
    this.#finished = finished(this.#child);
  }

  /** What it prints from the first match of one pattern to the end of the next match of another. */
  async printed(from: RegExp, to: RegExp): Promise<string> {
    for (;;) {
      const start = this.#stdout.search(from);
      const end = start === -1 ? null : to.exec(this.#stdout.slice(start));
      if (end) return this.#stdout.slice(start, start + end.index + end[0].length);
      if (this.#child.exitCode !== null) throw new Error(`The demo ended:\n${(await this.#finished).stderr}`);
      await Promise.race([once(this.#child.stdout!, 'data'), this.#finished]);
    }
  }

  /** How it ended, when it did by itself. */
  get ended(): Promise<Finished> {
    return this.#finished;
  }

  /** Ends it, as Ctrl+C or a container's stop does. */
  async stop(signal: 'SIGINT' | 'SIGTERM'): Promise<Finished> {
    this.#child.kill(signal);
    return this.#finished;
  }
}

async function finished(child: ChildProcess): Promise<Finished> {
  let stdout = '';
  let stderr = '';
  child.stdout!.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { code, signal, stdout, stderr };
}
