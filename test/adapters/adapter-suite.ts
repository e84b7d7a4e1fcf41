import { describe } from 'vitest';
import { AdapterFixture, type CreateHarness } from './harness.js';
import { changing } from './suite/changing.js';
import { conditions } from './suite/conditions.js';
import { connections } from './suite/connections.js';
import { inserting } from './suite/inserting.js';
import { jsonPaths } from './suite/json-paths.js';
import { lists } from './suite/lists.js';
import { operators } from './suite/operators.js';
import { preparing } from './suite/preparing.js';
import { reading } from './suite/reading.js';
import { refusals } from './suite/refusals.js';
import { relations } from './suite/relations.js';
import { sets } from './suite/sets.js';
import { storing } from './suite/storing.js';
import { streaming } from './suite/streaming.js';
import { texts } from './suite/texts.js';

const PARTS = Object.entries({
  'connections and keys': connections,
  'stored values': storing,
  inserting,
  'updating and deleting': changing,
  'what depends on the value before': operators,
  'prepared queries': preparing,
  'several sets of parameters': sets,
  conditions,
  'comparing text': texts,
  'JSON paths': jsonPaths,
  lists,
  reading,
  relations,
  streaming,
  refusals,
});

/**
 * How every adapter behaves (PARITY 2), written against the port only.
 *
 * @example
 * ```ts
 * adapterSuite('MemoryAdapter', async () => ({ adapter: new MemoryAdapter(), … }));
 * ```
 */
export function adapterSuite(name: string, createHarness: CreateHarness): void {
  describe.each([name])('%s', () => {
    const fixture = new AdapterFixture(createHarness);
    describe.each(PARTS)('%s', (_title, part) => part(fixture));
  });
}
