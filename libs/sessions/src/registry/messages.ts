import { shown, thereAre, wrongType } from '../errors/messages.js';

// Prefixes that say where a problem is.
export const inForRoot = (problem: string): string => `forRoot: ${problem}`;

// Problems with the set-up.
export const rootTwice = (calls: readonly string[]): string =>
  `an application has one, because all tables share its options, but there are: ${calls.join(', and ')}. To change only the adapter in a test, use SessionsTestingModule.replaceAdapter(builder)`;

const ONE_COPY = 'make every import resolve to the same one (`npm ls nest-sessions` shows both)';

export const COPIES = `there are two copies of the package in this application, which know nothing of each other: ${ONE_COPY}`;

export const OF_ANOTHER_COPY = `its class comes from another copy of the package: ${ONE_COPY}`;

export const NO_TABLES = 'the application has no table of sessions: import SessionsModule.forFeature(…) in it';

// Problems with the options.
export const noOptions = (given: unknown): string => `the options ${wrongType('an object', given)}`;

export const noRealm = (realm: unknown): string =>
  `realm must be printable ASCII, which a header can hold, not ${shown(realm)}`;

export const optionsOfNoTable = (name: string, tables: readonly string[]): string =>
  `tables has options of "${name}", which is not registered ${thereAre(tables)}`;

// Problems with references to tables.
export const defaultTableNeeded = (tables: readonly string[]): string =>
  `there are several tables (${tables.join(', ')}), so say which one SessionGuard and SessionsService mean: forRoot({ defaultTable: '${tables[0]}' })`;

export const defaultTableAmbiguous = (name: string): string =>
  `there are several tables "${name}": give defaultTable the class instead`;

export const defaultTableUnknown = (name: string, tables: readonly string[]): string =>
  `defaultTable "${name}" is not registered ${thereAre(tables)}`;

export const tableAmbiguous = (name: string): string => `there are several tables "${name}": name the class instead`;

/** @param name `undefined`: the default table */
export const tableUnknown = (name: string | undefined): string =>
  `${name === undefined ? 'a default table' : `the table "${name}"`} is used, but not registered: import SessionsModule.forFeature(…) for it`;

// Problems with tables.
export const REGISTERED_LATE =
  'it is registered after the application has started, by a module that is loaded lazily: import SessionsModule.forFeature(…) with it in a module of the application too';

export const REGISTERED_TWICE = 'is registered twice; give the tables different names, or register one class';

export const cookieTaken = (cookie: string, table: string): string =>
  `its cookie has the same name "${cookie}" as that of the table "${table}": set another one with cookie: { name }`;

export const dataSourceMissing = (name: string): string =>
  `there is no data source "${name}": import TypeOrmModule.forRoot({ …, autoLoadEntities: true }), or give an adapter`;

export const entityMissing = (dataSource: string, tableClass: string): string =>
  `its entity is not in the data source "${dataSource}": set autoLoadEntities: true there, or add ${tableClass}.entity to its entities`;

/** Why a table is not available yet. */
export const notInitialized = (dataSource: string): string =>
  `its data source "${dataSource}" is not initialised yet: with manualInitialization, call its initialize()`;

export const BEING_OPENED = 'it is being opened: try again';

export const CHANNEL_MISSING =
  'its cache has to hear of changes by other processes: give it a channel, such as new RedisChannel(…), or channel: null if there is only one process';

// Texts for the log about the check of tables.
export const notLookedAt = (reason: string): string => `The tables could not be checked in the database: ${reason}`;

export const noLookWithin = (ms: number): string =>
  `The check of the tables in the database had no answer within ${ms} ms: they are assumed to be as their definitions say.`;

// Texts for the log about near caches.
export const CACHES_IN_USE = 'Changes of sessions are heard from other processes, and near caches are in use.';

export const cachesNotInUse = (reason: string): string =>
  `Changes by other processes are not heard until the channel is back, so near caches are not in use, and each lookup asks the database: ${reason}`;

export const formsUnknown = (reason: string): string =>
  `the database does not say in which form its columns hold digests: ${reason}`;
