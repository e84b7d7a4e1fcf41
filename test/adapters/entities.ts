import { Column, Entity, EntitySchema, type EntitySchemaColumnOptions, PrimaryColumn } from 'typeorm';

/** The table between photos and tags, which has no entity of its own. */
export const PHOTO_TAGS = 'photo_tags';

/** A key that the application makes, a unique column under another name, and relations from the other side. */
export const Person = new EntitySchema<{ id: string; email: string; name: string | null; photos?: object[] }>({
  name: 'Person',
  tableName: 'people',
  columns: {
    id: { type: 'uuid', primary: true },
    email: { name: 'e_mail', type: 'varchar', length: 100, unique: true },
    name: { type: 'varchar', length: 50, nullable: true },
  },
  relations: { photos: { type: 'one-to-many', target: 'Photo', inverseSide: 'owner' } },
});

/** A key that the storage makes, every kind of column, a unique index of two columns, and relations to the others. */
export const Photo = new EntitySchema<PhotoRow>({
  name: 'Photo',
  tableName: 'photos',
  columns: {
    id: { type: 'int', primary: true, generated: 'increment' },
    title: { type: 'varchar', length: 50 },
    caption: { type: 'text', nullable: true },
    album: { type: 'varchar', length: 20, nullable: true },
    position: { type: 'int', nullable: true },
    views: { type: 'bigint', default: 0 },
    rating: { type: 'double precision', nullable: true },
    hidden: { type: 'boolean', default: false },
    takenAt: { type: Date, precision: 3, nullable: true },
    meta: { type: 'json', nullable: true },
    // In another order than that of their letters.
    state: { type: 'simple-enum', enum: ['draft', 'Public', 'archived'], default: 'draft' },
    serial: { type: 'uuid', nullable: true },
    ownerId: { type: 'uuid', nullable: true },
  },
  relations: {
    owner: { type: 'many-to-one', target: 'Person', joinColumn: { name: 'ownerId' }, inverseSide: 'photos' },
    tags: {
      type: 'many-to-many',
      target: 'Tag',
      joinTable: {
        name: PHOTO_TAGS,
        joinColumn: { name: 'photoId', referencedColumnName: 'id' },
        inverseJoinColumn: { name: 'tagName', referencedColumnName: 'name' },
      },
      inverseSide: 'photos',
    },
  },
  uniques: [{ columns: ['album', 'position'] }],
});

/** A key of text, and the far side of a many-to-many relation. */
export const Tag = new EntitySchema<{ name: string; weight: number | null; photos?: object[] }>({
  name: 'Tag',
  tableName: 'tags',
  columns: {
    name: { type: 'varchar', length: 30, primary: true },
    weight: { type: 'int', nullable: true },
  },
  relations: { photos: { type: 'many-to-many', target: 'Photo', inverseSide: 'tags' } },
});

/** A decorated class, with a column that nothing shows unless it is named. */
@Entity('countries')
export class Country {
  @PrimaryColumn({ type: 'varchar', length: 2 })
  code!: string;

  @Column({ name: 'country_name', length: 60, unique: true })
  name!: string;

  @Column({ type: 'int', nullable: true, default: '1', select: false })
  rank!: number | null;
}

/** A key of two columns. */
export const Membership = new EntitySchema<{
  personId: string;
  club: string;
  role: string;
  person?: object;
  badges?: object[];
}>({
  name: 'Membership',
  tableName: 'memberships',
  columns: {
    personId: { type: 'uuid', primary: true },
    club: { type: 'varchar', length: 30, primary: true },
    role: { type: 'varchar', length: 30, default: 'guest' },
  },
  relations: {
    person: {
      type: 'many-to-one',
      target: 'Person',
      joinColumn: { name: 'personId' },
      createForeignKeyConstraints: false,
    },
    badges: { type: 'one-to-many', target: 'Badge', inverseSide: 'membership' },
  },
});

/** Two columns that lead to a key of two, one to one of its own rows and back, and a column to one that nothing shows. */
export const Badge = new EntitySchema<BadgeRow>({
  name: 'Badge',
  tableName: 'badges',
  columns: {
    id: { type: 'int', primary: true },
    personId: { type: 'uuid', nullable: true },
    club: { type: 'varchar', length: 30, nullable: true },
    successorId: { type: 'int', nullable: true, select: false },
    revokedAt: { type: Date, precision: 3, nullable: true, deleteDate: true },
  },
  relations: {
    membership: {
      type: 'many-to-one',
      target: 'Membership',
      joinColumn: [
        { name: 'personId', referencedColumnName: 'personId' },
        { name: 'club', referencedColumnName: 'club' },
      ],
      createForeignKeyConstraints: false,
      inverseSide: 'badges',
    },
    successor: {
      type: 'one-to-one',
      target: 'Badge',
      joinColumn: { name: 'successorId' },
      createForeignKeyConstraints: false,
      inverseSide: 'predecessor',
    },
    predecessor: { type: 'one-to-one', target: 'Badge', inverseSide: 'successor' },
  },
});

/** For each kind of column whose values another column can take over its options and a value. */
export const PAIRED: Readonly<Record<string, EntitySchemaColumnOptions & { readonly example: unknown }>> = {
  text: { type: 'varchar', length: 20, example: 'ä \u{1f600} ' },
  uuid: { type: 'uuid', example: '0190a1b2-0000-7000-8000-000000000000' },
  int: { type: 'int', example: -(2 ** 31) },
  bigint: { type: 'bigint', example: '9223372036854775807' },
  number: { type: 'double precision', example: 0.1 },
  decimal: { type: 'decimal', precision: 12, scale: 3, example: '123456789.125' },
  boolean: { type: 'boolean', example: true },
  time: { type: Date, precision: 3, example: new Date('2026-03-29T01:30:00.123Z') },
  json: { type: 'json', example: { a: [1, null, 'ä'] } },
};

/** Two columns of each of these kinds. */
export const Pair = new EntitySchema<Record<string, unknown>>({
  name: 'Pair',
  tableName: 'pairs',
  columns: {
    id: { type: 'int', primary: true },
    ...Object.fromEntries(
      Object.entries(PAIRED).flatMap(([name, { example: _example, ...options }]) =>
        [name, `${name}Before`].map((property) => [property, { ...options, nullable: true }]),
      ),
    ),
  },
});

/** What all has a default. */
export const Ticket = new EntitySchema<{ id: number; state: string; note: string | null }>({
  name: 'Ticket',
  tableName: 'tickets',
  columns: {
    id: { type: 'int', primary: true, generated: 'increment' },
    state: { type: 'varchar', length: 10, default: 'open' },
    note: { type: 'varchar', length: 10, nullable: true },
  },
});

/** Every entity of the suite. */
export const ENTITIES = [Person, Photo, Tag, Membership, Badge, Country, Pair, Ticket];

interface PhotoRow {
  id: number;
  title: string;
  caption: string | null;
  album: string | null;
  position: number | null;
  views: string;
  rating: number | null;
  hidden: boolean;
  takenAt: Date | null;
  meta: unknown;
  state: string;
  serial: string | null;
  ownerId: string | null;
  owner?: object | null;
  tags?: object[];
}

interface BadgeRow {
  id: number;
  personId: string | null;
  club: string | null;
  successorId: number | null;
  revokedAt: Date | null;
  membership?: object | null;
  successor?: object | null;
  predecessor?: object | null;
}
