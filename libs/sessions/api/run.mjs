// Holds what the built package declares to the reports beside this file; with --local, writes the reports.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CompilerState, Extractor, ExtractorConfig } from '@microsoft/api-extractor';

const folder = import.meta.dirname;
const entries = readdirSync(folder)
  .filter((name) => name.endsWith('.json') && name !== 'base.json')
  .map((name) => ExtractorConfig.loadFileAndPrepare(join(folder, name)));
const additionalEntryPoints = entries.map(({ mainEntryPointFilePath }) => mainEntryPointFilePath);
// One program of all entries: each by itself takes as long.
const compilerState = CompilerState.create(entries[0], { additionalEntryPoints });
const localBuild = process.argv.includes('--local');
const results = entries.map((entry) => Extractor.invoke(entry, { localBuild, compilerState }));
process.exitCode = results.every(({ succeeded }) => succeeded) ? 0 : 1;
