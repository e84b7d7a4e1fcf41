import { parseArgs } from 'node:util';
import type { EctoAdapter } from '@app/sessions';
import { STORAGE } from '../database/database.module.js';
import { createDemo, databaseUrl } from '../demo.js';
import { SEEDED_LOGIN } from './people.js';
import { seed } from './seed.js';

/**
 * Runs `npm run seed`. `--sessions 5000` is the number of sessions, `--beside-others` allows a database with other users.
 *
 * @throws Error saying why nothing was done
 */
export async function runSeed(args: readonly string[], print: (line: string) => void): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { sessions: { type: 'string', default: '100000' }, 'beside-others': { type: 'boolean', default: false } },
  });
  const sessions = Number(values.sessions);
  if (!Number.isInteger(sessions) || sessions < 1)
    throw new RangeError(`--sessions must be a whole number of at least 1, not ${JSON.stringify(values.sessions)}.`);
  if (databaseUrl() === 'memory:')
    throw new Error('DATABASE_URL=memory: loses everything when this command ends. npm start adds sample data to it.');
  // The application is not started, so no expiry job deletes what is written here.
  const app = await createDemo({ logger: ['warn', 'error', 'fatal'] });
  try {
    const begin = Date.now();
    const { people, replaced } = await seed(app.get<EctoAdapter>(STORAGE), {
      sessions,
      besideOthers: values['beside-others'],
      onProgress: (written) => print(`${textOf(written)} of ${textOf(sessions)} sessions`),
    });
    const seconds = ((Date.now() - begin) / 1000).toFixed(1);
    if (replaced > 0) print(`They replace those of an earlier seed, with its ${textOf(replaced)} people.`);
    const { email, password } = SEEDED_LOGIN;
    print(`Done in ${seconds} s: ${textOf(people)} people. Log in as ${email} with the password "${password}".`);
  } finally {
    await app.close();
  }
}

function textOf(count: number): string {
  return count.toLocaleString('en');
}
