import { describe } from 'vitest';
import { MemoryAdapter } from '@app/sessions';
import { adapterSuite } from './adapter-suite.js';

describe('PARITY 2, MemoryAdapter', () => {
  adapterSuite('the port', async () => {
    const adapter = new MemoryAdapter();
    return { adapter, close: async () => {} };
  });
});
