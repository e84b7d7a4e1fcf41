import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SOURCE = join(dirname(fileURLToPath(import.meta.url)), '../libs/sessions/src');

/** The rooms from below to above: a file imports from its own room and from those before it. Rooms of one line know nothing of each other. */
const FLOORS = [
  ['util', 'errors', 'metrics'],
  ['http', 'token'],
  ['adapters/port'],
  ['adapters/query'],
  ['adapters/keyed-mutex.ts', 'adapters/typeorm/internals.ts'],
  ['adapters/memory', 'adapters/typeorm'],
  ['session'],
  ['events', 'live'],
  ['cache'],
  ['options'],
  ['table'],
  ['lifecycle'],
  ['service'],
  ['registry'],
  ['guard'],
  ['module'],
  ['context', 'graphql', 'platform-socket.io', 'platform-ws', 'swagger', 'testing'],
  ['index.ts'],
];

const MAX_LINES = 300;
/** Files that may be longer. */
const LONG: readonly string[] = ['service/sessions.service.ts'];

const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'));
const textOf = (file: string): string => readFileSync(join(SOURCE, file), 'utf8');

/** The room of a file, or the file itself where it stands in none. */
function roomOf(file: string): string | undefined {
  return FLOORS.flat().find((room) => file === room || file.startsWith(`${room}/`));
}

const floorOf = (room: string | undefined): number => FLOORS.findIndex((rooms) => rooms.includes(room ?? ''));

/** The imports of a file that lead into a room above its own, or beside it. */
function climbsOf(file: string, text = textOf(file)): string[] {
  const floor = floorOf(roomOf(file));
  return [...text.matchAll(/(?:from|import\() ?'(\.[^']+)\.js'/g)]
    .map(([, target]) => posix.join(posix.dirname(file), `${target}.ts`))
    .filter((target) => roomOf(target) !== roomOf(file) && floorOf(roomOf(target)) >= floor)
    .map((target) => `${file} → ${target}`);
}

describe('the source of the library', () => {
  it('has every file in a room', () => {
    expect(files.filter((file) => roomOf(file) === undefined)).toEqual([]);
  });

  it('imports downwards only', () => {
    expect(files.flatMap((file) => climbsOf(file))).toEqual([]);
  });

  it('imports what TypeORM keeps to itself in one file', () => {
    expect(files.filter((file) => /from 'typeorm\//.test(textOf(file)))).toEqual(['adapters/typeorm/internals.ts']);
  });

  it(`has no file of more than ${MAX_LINES} lines, but those named here`, () => {
    const long = files.filter((file) => textOf(file).trimEnd().split('\n').length > MAX_LINES);
    expect(long.toSorted()).toEqual(LONG.toSorted());
  });

  it.each([
    ['adapters/port/query.ts', '../../lifecycle/create'],
    ['events/session-event.ts', '../cache/near-cache'],
    ['adapters/memory/relations.ts', '../typeorm/relations'],
  ])('would not have %s import %s', (file, target) => {
    expect(climbsOf(file, `import type { Any } from '${target}.js';`)).toHaveLength(1);
  });
});
