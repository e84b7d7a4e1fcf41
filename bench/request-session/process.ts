/** A process of one application: `process.js <place>` answers with the CPU of a request. */
import { answerParent } from '../child.js';
import { guardedRoute, type Place } from './guarded-route.js';

const turn = guardedRoute(process.argv[2] as Place);
answerParent(async () => (await turn)());
