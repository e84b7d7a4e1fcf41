import { columnGenerated, keyNotMade } from '../../libs/sessions/src/table/checks/messages.js';
import { type Made, made, type TableKind } from './kind.js';

/** A function of PostgreSQL's that a trigger calls. */
export const triggered = (body: string): string[] => [
  `CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} END $$`,
];

export const EACH = 'ON visits FOR EACH ROW';

const LATER = 'SET NEW.updatedAt = NEW.updatedAt + INTERVAL 7000 MICROSECOND';
const LATER_AFTERWARDS = `BEGIN UPDATE visits SET updatedAt = strftime('%Y-%m-%d %H:%M:%f', NEW.updatedAt, '+0.007 seconds') WHERE id = NEW.id; END`;

const BY_DATABASE: Partial<TableKind> = { definition: () => ({ columns: { id: { generate: 'database' } } }) };

export const TRIGGERS: readonly TableKind[] = [
  made('whose triggers change what is written', {
    postgres: [
      {},
      ...triggered(`NEW."updatedAt" := NEW."updatedAt" + interval '7 milliseconds'; RETURN NEW;`),
      `CREATE TRIGGER changing BEFORE INSERT OR UPDATE ${EACH} EXECUTE FUNCTION change()`,
    ],
    mariadb: [
      {},
      `CREATE TRIGGER inserting BEFORE INSERT ${EACH} ${LATER}`,
      `CREATE TRIGGER updating BEFORE UPDATE ${EACH} ${LATER}`,
    ],
  }),
  made('whose triggers change what was written', {
    sqlite: [
      {},
      `CREATE TRIGGER inserted AFTER INSERT ON visits ${LATER_AFTERWARDS}`,
      `CREATE TRIGGER updated AFTER UPDATE ON visits ${LATER_AFTERWARDS}`,
    ],
    postgres: [
      {},
      ...triggered(
        `UPDATE visits SET "updatedAt" = "updatedAt" + interval '7 milliseconds' WHERE id = NEW.id; RETURN NULL;`,
      ),
      `CREATE TRIGGER changing AFTER INSERT OR UPDATE ${EACH} WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION change()`,
    ],
  }),
  made('whose triggers write down what is deleted', {
    mariadb: [
      {},
      'CREATE TABLE deleted (id char(36))',
      `CREATE TRIGGER deleting BEFORE DELETE ${EACH} INSERT INTO deleted VALUES (OLD.id)`,
    ],
    postgres: [
      {},
      'CREATE TABLE deleted (id uuid)',
      ...triggered('INSERT INTO deleted VALUES (OLD.id); RETURN OLD;'),
      `CREATE TRIGGER deleting BEFORE DELETE ${EACH} EXECUTE FUNCTION change()`,
    ],
    sqlite: [
      {},
      'CREATE TABLE deleted (id text)',
      'CREATE TRIGGER deleting BEFORE DELETE ON visits BEGIN INSERT INTO deleted VALUES (OLD.id); END',
    ],
  }),
  made(
    'whose triggers make the keys',
    {
      postgres: [
        { columns: { id: 'uuid PRIMARY KEY' } },
        ...triggered('NEW.id := gen_random_uuid(); RETURN NEW;'),
        `CREATE TRIGGER making BEFORE INSERT ${EACH} EXECUTE FUNCTION change()`,
      ],
      mariadb: [
        { columns: { id: 'uuid PRIMARY KEY' } },
        `CREATE TRIGGER making BEFORE INSERT ${EACH} SET NEW.id = uuid()`,
      ],
    },
    BY_DATABASE,
  ),
  made('whose triggers put the rows into another', {
    postgres: [
      {},
      'CREATE TABLE new_visits (UNIQUE ("authTokenDigest")) INHERITS (visits)',
      ...triggered('INSERT INTO new_visits SELECT NEW.*; RETURN NULL;'),
      `CREATE TRIGGER sending BEFORE INSERT ${EACH} EXECUTE FUNCTION change()`,
    ],
  }),
];

/** With a column that the database makes of others. */
const withColumn = (name: string, of: string, how: string): Made => [
  { columns: { note: 'varchar(40)', [name]: `varchar(40) GENERATED ALWAYS AS (${of}) ${how}` } },
];

const keyed = (type: string): Made => [{ columns: { id: `${type} PRIMARY KEY` } }];
const key = (id: object): Pick<TableKind, 'definition'> => ({ definition: () => ({ columns: { id } }) });

export const MADE_BY_DATABASE: readonly TableKind[] = [
  made('with columns that the database makes of others', {
    postgres: withColumn('lower', 'lower(note)', 'STORED'),
    mariadb: withColumn('lower', 'lower(note)', 'STORED'),
    sqlite: withColumn('lower', 'lower(note)', 'STORED'),
  }),
  made('with columns that the database makes of others, as they are read', {
    sqlite: withColumn('lower', 'lower(note)', 'VIRTUAL'),
    mariadb: withColumn('lower', 'lower(note)', 'VIRTUAL'),
  }),
  made(
    'with fields that the database makes of others',
    {
      mariadb: withColumn('note', 'lower(userId)', 'VIRTUAL'),
      postgres: withColumn('note', 'lower("userId")', 'STORED'),
      sqlite: withColumn('note', 'lower(userId)', 'STORED'),
    },
    { refused: columnGenerated('note') },
  ),
  made(
    'whose keys the database makes always, and the definition too',
    { postgres: keyed('bigint GENERATED ALWAYS AS IDENTITY') },
    { ...key({ type: 'bigint', generate: () => 1n }), refused: columnGenerated('id') },
  ),
  made(
    'whose keys are numbers that nobody makes',
    { sqlite: keyed('bigint'), postgres: keyed('bigint'), mariadb: keyed('bigint') },
    { ...key({ type: 'bigint' }), refused: keyNotMade('id') },
  ),
  made(
    'whose keys are text that nobody makes',
    { mariadb: keyed('char(36)'), postgres: keyed('uuid'), sqlite: keyed('text') },
    { ...BY_DATABASE, refused: keyNotMade('id') },
  ),
];
