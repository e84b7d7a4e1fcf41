import {
  type Conversion,
  type ConversionSql,
  converted,
  type DigestColumn,
  type DigestPair,
  indexesOn,
  isMissing,
  syncNameOf,
} from './conversion.js';

// mysql2 takes every question mark for a placeholder.
const HEX = `'^([A-Za-z0-9_-]{1,32}:){0,1}([0-9a-f]{2})+$'`;
const KEY = `'^[A-Za-z0-9_-]{1,32}:$'`;

const exact = (text: string): string => `CONVERT(${text} USING utf8mb4) COLLATE utf8mb4_bin`;

/** A required column has '' where it has no digest: only a default is set and dropped without a look at the rows. */
export const mysqlConversion: ConversionSql = {
  toBytes(text) {
    const colon = `LOCATE(':', ${text})`;
    const hex = `CONCAT(HEX(CONVERT(LEFT(${text}, ${colon}) USING utf8mb4)), SUBSTRING(${text}, ${colon} + 1))`;
    return `IF(${exact(text)} REGEXP ${HEX}, UNHEX(${hex}), NULL)`;
  },
  toHex(bytes) {
    const key = exact(`CONVERT(LEFT(${bytes}, GREATEST(CAST(LENGTH(${bytes}) AS SIGNED) - 32, 0)) USING latin1)`);
    return `IF(${key} REGEXP ${KEY}, CONCAT(${key}, LOWER(HEX(RIGHT(${bytes}, 32)))), LOWER(HEX(${bytes})))`;
  },
  placeholder: () => '?',
  length: (sql) => `LENGTH(${sql})`,
  equals: (a, b) => `CAST(${a} AS BINARY) = CAST(${b} AS BINARY)`,
  // Those with ON UPDATE would change otherwise.
  untouched: (times) => times.map((time) => `${time} = ${time}`),

  async begin(steps, conversion) {
    const { path, pairs, triggers } = conversion;
    const changes = pairs.flatMap(({ from, to, required }) => [
      ...(to.facts ? [] : [`ADD COLUMN ${to.sql} ${to.type}${required ? " NOT NULL DEFAULT ''" : ' NULL'}`]),
      ...(required ? [`ALTER COLUMN ${from.sql} SET DEFAULT ''`] : []),
    ]);
    await steps.briefly(`ALTER TABLE ${path} ${changes.join(', ')}`);
    const trigger = async (when: 'UPDATE' | 'INSERT', set: string): Promise<void> => {
      const name = `${syncNameOf(conversion)}_${when.toLowerCase()}`;
      if (!triggers.includes(name))
        await steps.briefly(
          `CREATE TRIGGER ${sameSchema(conversion, name)} BEFORE ${when} ON ${path} FOR EACH ROW SET ${set}`,
        );
    };
    // The one on updates first: a digest that it has made is never an old one.
    await trigger('UPDATE', pairs.map(updated).join(', '));
    await trigger('INSERT', pairs.map(inserted).join(', '));
  },

  async index({ briefly }, conversion, { name, column, unique }) {
    const { path, quote } = conversion;
    if (indexesOn(conversion, column).length > 0) return;
    const added = `${unique ? 'UNIQUE ' : ''}INDEX ${quote(name)} (${quote(column)})`;
    await briefly(`ALTER TABLE ${path} ADD ${added}, ALGORITHM=INPLACE, LOCK=NONE`);
  },

  async end({ briefly }, conversion) {
    const { path, pairs, quote } = conversion;
    const former = pairs.filter(({ from }) => from.facts);
    // Without triggers, the old columns no longer differ between rows.
    for (const index of new Set(former.flatMap(({ from }) => indexesOn(conversion, from.name))))
      await briefly(`ALTER TABLE ${path} DROP INDEX ${quote(index.name)}`);
    for (const when of ['insert', 'update'])
      await briefly(`DROP TRIGGER IF EXISTS ${sameSchema(conversion, `${syncNameOf(conversion)}_${when}`)}`);
    const changes = [
      ...pairs.filter(({ required }) => required).map(({ to }) => `ALTER COLUMN ${to.sql} DROP DEFAULT`),
      ...former.map(({ from }) => `DROP COLUMN ${from.sql}`),
    ];
    await briefly(`ALTER TABLE ${path} ${changes.join(', ')}`);
  },
};

function sameSchema({ path, quote }: Conversion, name: string): string {
  return (/^(`(?:[^`]|``)*`\.)`/.exec(path)?.[1] ?? '') + quote(name);
}

/** A digest in the other form; '' in a required column that takes no null. */
function given(value: string, from: DigestColumn, to: DigestColumn, required: boolean): string {
  const other = converted(mysqlConversion, value, from, to);
  return required ? `COALESCE(${other}, '')` : other;
}

function inserted({ from, to, required }: DigestPair): string {
  const [a, b] = [`NEW.${from.sql}`, `NEW.${to.sql}`];
  return `${b} = IF(${isMissing(b)}, ${given(a, from, to, required)}, ${b}), ${a} = IF(${isMissing(a)}, ${given(b, to, from, required)}, ${a})`;
}

function updated({ from, to, required }: DigestPair): string {
  const [a, b] = [`NEW.${from.sql}`, `NEW.${to.sql}`];
  const [sameA, sameB] = [`${a} <=> OLD.${from.sql}`, `${b} <=> OLD.${to.sql}`];
  return `${b} = IF(${sameA}, ${b}, ${given(a, from, to, required)}), ${a} = IF(${sameA} AND NOT (${sameB}), ${given(b, to, from, required)}, ${a})`;
}
