/**
 * What the session costs where others find it, for each request of a guarded route on Fastify, side by side: as
 * `request.session`, and by `SessionContext`. In memory, so that nothing else takes long.
 */
import { Child } from './child.js';
import { CleanUps } from './clean-ups.js';
import { guardedRoute, type Place } from './request-session/guarded-route.js';
import { type Figures, partsOf, type ShortTurn, shortTurns, shortTurnsTable } from './short-turns.js';
import { textTable } from './table.js';

const TURNS = { rounds: 2000, warmUps: 40 };

/** Processes of one application differ for as long as they live, so that there are several of each. */
const PROCESSES = 8;
const TURNS_OF_A_PROCESS = { rounds: 250, warmUps: 40 };

/** Before Node 24, a context slows down all promises of its process, so that it needs one for itself. */
const SHARES_PROCESS = Number(process.versions.node.split('.')[0]) >= 24;

async function inThisProcess(place: Place): Promise<Figures[]> {
  return partsOf(
    await shortTurns(TURNS, {
      [`without ${place}`]: await guardedRoute('nowhere'),
      control: await guardedRoute('nowhere'),
      [place]: await guardedRoute(place),
    }),
  );
}

async function inProcesses(place: Place): Promise<Figures[]> {
  const parts: Figures[] = [];
  while (parts.length < PROCESSES) {
    const cleanUps = new CleanUps();
    const inProcess = (of: Place): ShortTurn => {
      const child = new Child<'turn', number>('request-session/process.js', [of], cleanUps);
      return async () => child.ask('turn');
    };
    try {
      const entrants = {
        [`without ${place}`]: inProcess('nowhere'),
        control: inProcess('nowhere'),
        [place]: inProcess(place),
      };
      parts.push(await shortTurns(TURNS_OF_A_PROCESS, entrants));
    } finally {
      await cleanUps.run();
    }
  }
  return parts;
}

console.log(`Node ${process.version}`);
for (const place of ['request.session', 'SessionContext'] as const) {
  const parts = await (place === 'request.session' || SHARES_PROCESS ? inThisProcess : inProcesses)(place);
  console.log(textTable(shortTurnsTable('a guarded route on Fastify', parts)));
}
process.exit();
