import { createDemo } from './demo.js';
import { walkthrough } from './walkthrough.js';

const { HOST = '127.0.0.1', PORT = '3000' } = process.env;

try {
  const port = Number(PORT);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new RangeError(`PORT must be a whole number from 0 to 65535, not ${JSON.stringify(PORT)}.`);
  const app = await createDemo();
  app.enableShutdownHooks();
  await app.listen(port, HOST);
  const address = await app.getUrl();
  console.log(`\nThe demo listens at ${address}. To try it, paste this into bash:\n\n${walkthrough(address)}\n`);
} catch (error) {
  console.error(`The demo cannot start: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
