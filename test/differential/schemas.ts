import fc from 'fast-check';
import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';

/** The kinds of columns that random schemas are made of. */
export const KINDS = [
  'string',
  'text',
  'uuid',
  'int',
  'bigint',
  'number',
  'boolean',
  'timestamp',
  'json',
  'enum',
] as const;
export type Kind = (typeof KINDS)[number];

export interface RandomColumn {
  readonly name: string;
  readonly kind: Kind;
  readonly nullable: boolean;
}

/** An entity of random columns; `id` is its key, `unique` a unique index where there is one. */
export interface RandomSchema {
  readonly entity: EntitySchema;
  readonly columns: readonly RandomColumn[];
  readonly keyKind: 'uuid' | 'int' | 'string';
  readonly unique: readonly string[];
}

const COLUMN_OPTIONS: Readonly<Record<Kind, EntitySchemaColumnOptions>> = {
  string: { type: 'varchar', length: 40 },
  text: { type: 'text' },
  uuid: { type: 'uuid' },
  int: { type: 'int' },
  bigint: { type: 'bigint' },
  number: { type: 'double precision' },
  boolean: { type: 'boolean' },
  timestamp: { type: Date, precision: 3 },
  json: { type: 'json' },
  enum: { type: 'simple-enum', enum: ['zulu', 'alpha', 'mike'] },
};

/** Unlike the others these can be in a unique index on every database, by their whole value. */
const UNIQUE_KINDS: readonly Kind[] = ['string', 'int', 'bigint', 'timestamp', 'boolean', 'enum'];

const shapes = fc.record({
  keyKind: fc.constantFrom('uuid' as const, 'int' as const, 'string' as const),
  columns: fc.array(fc.record({ kind: fc.constantFrom(...KINDS), nullable: fc.boolean() }), {
    minLength: 2,
    maxLength: 6,
  }),
  uniqueColumns: fc.nat(2),
  indexed: fc.boolean(),
});

/** So many random schemas of one seed, each with a name of its own. */
export function randomSchemas(seed: number, count: number): RandomSchema[] {
  return fc.sample(shapes, { seed, numRuns: count }).map(({ keyKind, columns: given, uniqueColumns, indexed }, i) => {
    const columns = given.map(({ kind, nullable }, j): RandomColumn => ({ name: `${kind}${j}`, kind, nullable }));
    const unique = columns
      .filter(({ kind }) => UNIQUE_KINDS.includes(kind))
      .slice(0, uniqueColumns)
      .map(({ name }) => name);
    const sortable = columns.filter(({ name, kind }) => kind !== 'json' && kind !== 'text' && !unique.includes(name));
    const entity = new EntitySchema({
      name: `Random${i}`,
      tableName: `random_${i}`,
      columns: {
        id: { ...COLUMN_OPTIONS[keyKind], primary: true },
        ...Object.fromEntries(columns.map(({ name, kind, nullable }) => [name, { ...COLUMN_OPTIONS[kind], nullable }])),
      },
      indices: [
        ...(unique.length > 0 ? [{ columns: unique, unique: true }] : []),
        ...(indexed ? sortable.map(({ name }) => ({ columns: [name] })) : []),
      ],
    });
    return { entity, columns, keyKind, unique };
  });
}
