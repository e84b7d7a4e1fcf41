/** Through how many files one guarded request goes: on SQLite, without a cache, with a session that needs no extension. */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Controller, Get, Module, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import ts from 'typescript';
import { ROOT_FOLDER } from './folders.js';

type Library = typeof import('../libs/sessions/src/index.js');

declare global {
  /** The files of the functions that were called, one after the other; `undefined` while nobody counts. */
  var calls: string[] | undefined;
}

/** The folders of the library from above to below: a step to one of a line before is a climb. */
const FLOORS = [
  ['guard'],
  ['registry'],
  ['service'],
  ['lifecycle'],
  ['table'],
  ['options'],
  ['cache', 'events', 'live'],
  ['session'],
  ['adapters'],
  ['http', 'token', 'metrics', 'util', 'errors'],
];

/** The most that a request may take. */
const MOST = { stays: 49, returns: 22, folderStays: 16, climbs: 6 };

const [checkout] = process.argv.slice(2);
const built =
  checkout === undefined ? new URL('dist/bench/libs/sessions/src', ROOT_FOLDER) : `${checkout}/libs/sessions/dist`;
const folder = await mkdtemp(fileURLToPath(new URL('dist/path-', ROOT_FOLDER)));
try {
  await cp(built, folder, { recursive: true });
  await instrument(folder);
  const walk = await walkOf((await import(pathToFileURL(join(folder, 'index.js')).href)) as Library);
  const files = staysOf(walk);
  const folders = staysOf(walk.map((file) => file.split('/').slice(0, -1)[0] ?? file));
  const counted = {
    stays: files.length,
    returns: returnsOf(files),
    folderStays: folders.length,
    climbs: folders.filter((name, i) => i > 0 && floorOf(name) < floorOf(folders[i - 1]!)).length,
  };
  console.log(files.join('\n'));
  console.log(`\n${folders.join(' > ')}`);
  console.log({ calls: walk.length, files: new Set(files).size, ...counted });
  const tooMany = Object.entries(MOST).filter(([name, most]) => counted[name as keyof typeof MOST] > most);
  if (checkout === undefined && tooMany.length > 0) {
    console.error(`More than ${tooMany.map(([name, most]) => `${most} ${name}`).join(', ')}.`);
    process.exitCode = 1;
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Has every function of a compiled library report its file when it is called. */
async function instrument(library: string): Promise<void> {
  for (const file of await readdir(library, { recursive: true })) {
    if (!file.endsWith('.js')) continue;
    const path = join(library, file);
    await writeFile(path, reporting(file, await readFile(path, 'utf8')));
  }
}

/** The text of a file with a report at the beginning of each function. */
function reporting(file: string, text: string): string {
  const report = `globalThis.calls?.push(${JSON.stringify(file)})`;
  const inserted: { at: number; text: string }[] = [];
  const visit = (node: ts.Node): void => {
    ts.forEachChild(node, visit);
    if (!ts.isFunctionLike(node) || !('body' in node) || !node.body) return;
    const { body } = node;
    if (!ts.isBlock(body)) {
      inserted.push({ at: body.getStart(), text: `(${report}, ` }, { at: body.end, text: ')' });
      return;
    }
    // A constructor has no `this` before the one of its base class.
    const first = body.statements[0];
    inserted.push({ at: first && isSuper(first) ? first.end : body.getStart() + 1, text: `${report};` });
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return inserted
    .toSorted((a, b) => b.at - a.at)
    .reduce((changed, { at, text }) => changed.slice(0, at) + text + changed.slice(at), text);
}

function isSuper(statement: ts.Statement): boolean {
  return statement.getText().startsWith('super(');
}

/** The files of the functions that one request calls, in their order. */
async function walkOf({ SessionGuard, SessionsModule, SessionsTable }: Library): Promise<string[]> {
  class Sessions extends SessionsTable({ table: 'sessions', extraFields: { userId: { type: 'string' } } }) {}
  @UseGuards(SessionGuard)
  @Controller()
  class SessionController {
    @Get()
    find(): string {
      return 'found';
    }
  }
  @Module({
    imports: [
      TypeOrmModule.forRoot({
        type: 'better-sqlite3',
        database: ':memory:',
        autoLoadEntities: true,
        synchronize: true,
      }),
      SessionsModule.forRoot({ pruning: false }),
      SessionsModule.forFeature(Sessions),
    ],
    controllers: [SessionController],
  })
  class AppModule {}
  const app = await NestFactory.create(AppModule, { logger: ['error'] });
  try {
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    const { authToken } = await app.get(Sessions).create({ userId: 'u1' });
    const request = async (): Promise<void> => {
      const response = await fetch(`http://127.0.0.1:${port}`, { headers: { authorization: `Bearer ${authToken}` } });
      if ((await response.text()) !== 'found') throw new Error(`The request is refused: ${response.status}`);
    };
    // The first requests prepare statements, and find out what their route asks for.
    for (let i = 0; i < 3; i++) await request();
    globalThis.calls = [];
    await request();
    return globalThis.calls;
  } finally {
    globalThis.calls = undefined;
    await app.close();
  }
}

/** One for each run of calls within the same place. */
function staysOf(places: readonly string[]): string[] {
  return places.filter((place, i) => place !== places[i - 1]);
}

function floorOf(name: string): number {
  return FLOORS.findIndex((floor) => floor.includes(name));
}

/** The stays in a place that was left before. */
function returnsOf(stays: readonly string[]): number {
  return stays.length - new Set(stays).size;
}
