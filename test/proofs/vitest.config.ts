import { defineConfig } from 'vitest/config';
import base, { project } from '../../vitest.config.js';

/** What `npm run test:proofs` runs: each guarantee of SECURITY.md broken in a copy of the project, where a test has to fail. */
const proofs = project('proofs', { include: ['test/proofs/broken.proofs.ts'] });

export default defineConfig({ test: { ...base.test, maxWorkers: 1, projects: [proofs] } });
