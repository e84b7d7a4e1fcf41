import type { EctoAdapter } from '@app/sessions';
import { STORAGE } from './database/database.module.js';
import { createDemo, databaseUrl } from './demo.js';
import { SEEDED_LOGIN } from './seed/people.js';
import { seedIfNew } from './seed/seed.js';
import { walkthrough } from './walkthrough.js';

const { HOST = '127.0.0.1', PORT = '3000', DEMO_SEED } = process.env;

try {
  const port = Number(PORT);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new RangeError(`PORT must be a whole number from 0 to 65535, not ${JSON.stringify(PORT)}.`);
  const app = await createDemo();
  app.enableShutdownHooks();
  await app.listen(port, HOST);
  const address = await app.getUrl();
  const { email, password } = SEEDED_LOGIN;
  if (DEMO_SEED !== 'off' && (await seedIfNew(app.get<EctoAdapter>(STORAGE), databaseUrl())))
    console.log(`\nIt has sample data. Log in as ${email} with the password "${password}".`);
  if (process.env['NODE_ENV'] !== 'production') console.log(`\nMail that it would send is at ${address}/dev/outbox.`);
  console.log(
    `\nThe demo listens at ${address}: open it in a browser. ${address}/docs describes its routes. To try them, paste this into bash:\n\n${walkthrough(address)}\n`,
  );
} catch (error) {
  console.error(`The demo cannot start: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
