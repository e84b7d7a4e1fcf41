/**
 * What the session costs where others find it, for each request of a guarded route on Fastify, side by side: as
 * `request.session`, and by `SessionContext`. In memory, so that nothing else takes long.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Controller, type DynamicModule, Get, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { SessionContextModule } from '../libs/sessions/src/context/index.js';
import {
  CurrentSession,
  MemoryAdapter,
  SessionGuard,
  SessionsModule,
  SessionsTable,
} from '../libs/sessions/src/index.js';
import { ratios, type Spread, spreadOf } from './statistics.js';

const REQUESTS_OF_A_TURN = 25;
/** Short turns, of which the fastest is the figure: it is the one that nothing else on the machine has held up. */
const TURNS_OF_A_FIGURE = 60;
const FIGURES = 8;
const WARM_UPS = 80;
/** Processes of one application differ for as long as they live. */
const PROCESSES = 5;

class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string' } } }) {}

@UseGuards(SessionGuard)
@Controller()
class SessionController {
  @Get()
  user(@CurrentSession('userId') userId: string): object {
    return { userId };
  }
}

/** A turn of an application: the time of a request, in microseconds. */
type Entrant = () => Promise<number>;

async function entrant(requestSession: boolean, imports: DynamicModule['imports'] = []): Promise<Entrant> {
  const options = { adapter: new MemoryAdapter(), pruning: false, requestSession } as const;
  const module: DynamicModule = {
    module: class {},
    imports: [SessionsModule.forRoot(options), SessionsModule.forFeature(Sessions), ...imports],
    controllers: [SessionController],
  };
  const app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), { logger: ['error'] });
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  const { authToken } = await app.get(Sessions).create({ userId: 'u1' });
  const headers = { authorization: `Bearer ${authToken}` };
  const turn: Entrant = async () => {
    const begin = performance.now();
    for (let i = 0; i < REQUESTS_OF_A_TURN; i++) {
      const { statusCode } = await app.inject({ method: 'GET', url: '/', headers });
      if (statusCode !== 200) throw new Error(`A valid token was refused: ${statusCode}.`);
    }
    return ((performance.now() - begin) * 1000) / REQUESTS_OF_A_TURN;
  };
  for (let i = 0; i < WARM_UPS; i++) await turn();
  return turn;
}

/** The median of the turns of one application that has the process for itself. */
async function alone(withContext: boolean): Promise<number> {
  const child = fork(fileURLToPath(import.meta.url), [withContext ? 'context' : 'plain'], {
    execArgv: ['--expose-gc'],
  });
  const [median] = (await once(child, 'message')) as [number];
  return median;
}

/** The figures of each, by turns one after the other. */
async function figuresOf(entrants: readonly Entrant[]): Promise<number[][]> {
  const figures = entrants.map((): number[] => []);
  for (let n = 0; n < FIGURES; n++) {
    const fastest = entrants.map(() => Infinity);
    for (let turn = 0; turn < TURNS_OF_A_FIGURE; turn++) {
      // Nobody is always the first.
      for (const i of entrants.map((_, at) => (at + turn) % entrants.length))
        fastest[i] = Math.min(fastest[i]!, await entrants[i]!());
    }
    for (const [i, figure] of fastest.entries()) figures[i]!.push(figure);
  }
  return figures;
}

const shown = ({ median, min, max }: Spread): string => `${median.toFixed(3)} [${min.toFixed(3)} to ${max.toFixed(3)}]`;

const [kind] = process.argv.slice(2);
if (kind !== undefined) {
  const turn = await entrant(true, kind === 'context' ? [SessionContextModule] : []);
  const [figures] = await figuresOf([turn]);
  process.send!(spreadOf(figures!).median, () => process.exit());
} else {
  console.log(`Node ${process.version}; a guarded route on Fastify from memory`);
  const entrants = [await entrant(false), await entrant(false), await entrant(true)];
  const [without, control, property] = (await figuresOf(entrants)) as [number[], number[], number[]];
  console.log(`requestSession: false            ${spreadOf(without).median.toFixed(1)} µs`);
  console.log(`the same again (control)         ${shown(ratios(control, without))}`);
  console.log(`request.session                  ${shown(ratios(property, without))}`);
  const [plain, context]: [number[], number[]] = [[], []];
  for (let i = 0; i < PROCESSES; i++) {
    plain.push(await alone(false));
    context.push(await alone(true));
  }
  console.log(`without SessionContext           ${spreadOf(plain).median.toFixed(1)} µs`);
  console.log(`SessionContext                   ${shown(ratios(context, plain))}`);
  process.exit();
}
