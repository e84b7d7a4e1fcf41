/** The process of one application: `server.js <application> <database as JSON>`. */
import type { Database } from '../databases.js';
import { type Application, type ApplicationName, APPLICATIONS } from './applications.js';
import { answerParent } from '../child.js';

/** Its port, or the CPU time that it has used so far. */
export type ServerQuestion = 'port' | 'cpuMicroseconds';

const [name, database] = process.argv.slice(2) as [ApplicationName, string];
const application: Application = APPLICATIONS[name];
const port = application(JSON.parse(database) as Database);
// It is told to who asks.
port.catch(() => undefined);

answerParent(async (question: ServerQuestion): Promise<number> => {
  if (question === 'port') return port;
  const { user, system } = process.cpuUsage();
  return user + system;
});
