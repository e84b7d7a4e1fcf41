import {
  type Conversion,
  type ConversionSql,
  converted,
  type DigestPair,
  indexesOn,
  syncNameOf,
} from './conversion.js';

const HEX = String.raw`'^([A-Za-z0-9_-]{1,32}:)?([0-9a-f]{2})+$'`;
const KEY = `'^[A-Za-z0-9_-]{1,32}:$'`;

export const postgresConversion: ConversionSql = {
  toBytes(column) {
    const text = `${column}::text`;
    const colon = `strpos(${text}, ':')`;
    const hex = `encode(convert_to(left(${text}, ${colon}), 'UTF8'), 'hex') || substr(${text}, ${colon} + 1)`;
    return `CASE WHEN ${text} ~ ${HEX} THEN decode(${hex}, 'hex') END`;
  },
  toHex(bytes) {
    const key = `encode(substring(${bytes} FROM 1 FOR greatest(length(${bytes}) - 32, 0)), 'escape')`;
    const keyed = `${key} || encode(substring(${bytes} FROM length(${bytes}) - 31), 'hex')`;
    return `CASE WHEN ${key} ~ ${KEY} THEN ${keyed} ELSE encode(${bytes}, 'hex') END`;
  },
  placeholder: (number) => `$${number}`,
  length: (sql) => `length(${sql})`,
  equals: (a, b) => `${a} = ${b}`,
  untouched: () => [],

  async begin(steps, conversion) {
    const { path, pairs } = conversion;
    const name = syncNameOf(conversion);
    const [trigger, sync] = [conversion.quote(name), functionOf(conversion)];
    const changes = pairs.flatMap(({ from, to, required }) => [
      `ADD COLUMN IF NOT EXISTS ${to.sql} ${to.type}`,
      ...(required ? [`ALTER COLUMN ${from.sql} DROP NOT NULL`] : []),
    ]);
    await steps.briefly(
      `ALTER TABLE ${path} ${changes.join(', ')}`,
      `CREATE OR REPLACE FUNCTION ${sync}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${pairs.map(syncOf).join(' ')} RETURN NEW; END $$`,
      `DROP TRIGGER IF EXISTS ${trigger} ON ${path}`,
      `CREATE TRIGGER ${trigger} BEFORE INSERT OR UPDATE ON ${path} FOR EACH ROW EXECUTE FUNCTION ${sync}()`,
    );
  },

  async index({ run, briefly }, conversion, { name, column, unique, constraint }) {
    const { path, quote } = conversion;
    const schema = schemaOf(path);
    const existing = indexesOn(conversion, column);
    for (const index of existing)
      if (!index.valid) await run(`DROP INDEX CONCURRENTLY IF EXISTS ${schema}${quote(index.name)}`);
    if (!existing.some(({ valid }) => valid))
      await run(`CREATE ${unique ? 'UNIQUE ' : ''}INDEX CONCURRENTLY ${quote(name)} ON ${path} (${quote(column)})`);
    if (!constraint) return;
    const known = 'SELECT FROM pg_constraint WHERE conrelid = $1::regclass AND conname = $2';
    if ((await run(known, [path, name])).length === 0)
      await briefly(`ALTER TABLE ${path} ADD CONSTRAINT ${quote(name)} UNIQUE USING INDEX ${quote(name)}`);
  },

  async end({ run, briefly }, conversion) {
    const { path, pairs, quote } = conversion;
    const name = syncNameOf(conversion);
    const required = pairs.filter((pair) => pair.required);
    const check = (i: number): string => quote(`${name}_${i}`);
    // PostgreSQL reads all rows for a check while others write, and not again for NOT NULL.
    for (const [i, { to }] of required.entries()) {
      await briefly(
        `ALTER TABLE ${path} DROP CONSTRAINT IF EXISTS ${check(i)}`,
        `ALTER TABLE ${path} ADD CONSTRAINT ${check(i)} CHECK (${to.sql} IS NOT NULL) NOT VALID`,
      );
      await run(`ALTER TABLE ${path} VALIDATE CONSTRAINT ${check(i)}`);
    }
    await briefly(
      `DROP TRIGGER IF EXISTS ${quote(name)} ON ${path}`,
      `DROP FUNCTION IF EXISTS ${functionOf(conversion)}()`,
      `ALTER TABLE ${path} ${[
        ...required.map(({ to }) => `ALTER COLUMN ${to.sql} SET NOT NULL`),
        ...required.map((_, i) => `DROP CONSTRAINT ${check(i)}`),
        ...pairs.map(({ from }) => `DROP COLUMN IF EXISTS ${from.sql}`),
      ].join(', ')}`,
    );
  },
};

/** The function in the schema of its table. */
function functionOf(conversion: Conversion): string {
  return schemaOf(conversion.path) + conversion.quote(syncNameOf(conversion));
}

function schemaOf(path: string): string {
  return /^("(?:[^"]|"")*"\.)"/.exec(path)?.[1] ?? '';
}

function syncOf({ from, to }: DigestPair): string {
  const [a, b] = [`NEW.${from.sql}`, `NEW.${to.sql}`];
  const give = { a: converted(postgresConversion, b, to, from), b: converted(postgresConversion, a, from, to) };
  return `IF TG_OP = 'INSERT' THEN ${b} := coalesce(${b}, ${give.b}); ${a} := coalesce(${a}, ${give.a});
    ELSIF ${a} IS DISTINCT FROM OLD.${from.sql} THEN ${b} := ${give.b};
    ELSIF ${b} IS DISTINCT FROM OLD.${to.sql} THEN ${a} := ${give.a};
    END IF;`;
}
