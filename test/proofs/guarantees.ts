import { read } from '../docs/documents.js';

/** A line of SECURITY.md that names tests. */
export interface Guarantee {
  /** Its first cell. */
  readonly text: string;
  /** The tests that it cites. */
  readonly tests: readonly string[];
}

/** The lines of the tables of SECURITY.md, but for those that are the application's to keep and so cite no test. */
export const GUARANTEES: readonly Guarantee[] = read('SECURITY.md')
  .split('\n')
  .filter((line) => line.startsWith('| ') && /spec\.ts`/.test(line))
  .map((line) => ({
    text: line.split('|')[1]!.trim(),
    tests: [...line.matchAll(/`([^`]*spec\.ts)`/g)].map(([, test]) => test!),
  }));
