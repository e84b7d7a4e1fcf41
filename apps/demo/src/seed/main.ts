import { runSeed } from './command.js';

try {
  await runSeed(process.argv.slice(2), console.log);
} catch (error) {
  console.error(`The database cannot be seeded: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
