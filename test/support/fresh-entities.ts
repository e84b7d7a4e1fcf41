import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** Where `forFeature` makes entities known to `autoLoadEntities`; the package exports it to nobody. */
const storage = new URL(
  'entities-metadata.storage.js',
  pathToFileURL(createRequire(import.meta.url).resolve('@nestjs/typeorm')),
);
const { EntitiesMetadataStorage } = (await import(storage.href)) as {
  EntitiesMetadataStorage: { storage: Map<string, unknown> };
};

// Files that share a process would load each other's.
EntitiesMetadataStorage.storage.clear();
