import { type MigrationInterface, type QueryRunner, Table, TableColumn, TableIndex } from 'typeorm';
import { jsonType, timestampType, uuidType } from '../column-types.js';

/** The activity log, and columns of sessions and keys, which a new database has from the start. */
export class AddActivity1767312000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.createTable(activityTable(queryRunner), true);
    await addColumns(queryRunner, 'sessions');
    const added = await addColumns(queryRunner, 'api_keys');
    // What every key was allowed to do before scopes existed.
    if (added.includes('scopes')) await queryRunner.query(`UPDATE api_keys SET scopes = '["project:read"]'`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const [name, columns] of Object.entries(columnsOf(queryRunner))) {
      for (const indexed of INDEXED) await dropIndex(queryRunner, name, indexed);
      await queryRunner.createIndex(name, new TableIndex({ columnNames: ['expiresAt'] }));
      await queryRunner.dropColumns(
        name,
        columns.map((column) => column.name),
      );
    }
    await queryRunner.dropTable('activity', true);
  }
}

/** Each index is created with its first column. */
const INDEXED = [['revokedAt', 'expiresAt'], ['previousTokenDigest']] as const;

function activityTable(queryRunner: QueryRunner): Table {
  const uuid = uuidType(queryRunner);
  return new Table({
    name: 'activity',
    columns: [
      { name: 'id', ...uuid, isPrimary: true },
      { name: 'userId', ...uuid },
      { name: 'sessionId', ...uuid },
      { name: 'type', type: 'varchar', length: '32' },
      { name: 'reason', type: 'varchar', length: '64', isNullable: true },
      { name: 'at', ...timestampType(queryRunner) },
    ],
    indices: [{ columnNames: ['userId'] }],
    foreignKeys: [
      {
        columnNames: ['userId'],
        referencedTableName: 'users',
        referencedColumnNames: ['id'],
        onDelete: 'CASCADE',
        onUpdate: 'NO ACTION',
      },
    ],
  });
}

/** Adds missing columns to a table, and returns them. */
async function addColumns(queryRunner: QueryRunner, name: keyof ReturnType<typeof columnsOf>): Promise<string[]> {
  const table = await queryRunner.getTable(name);
  const missing = columnsOf(queryRunner)[name].filter((column) => !table!.findColumnByName(column.name));
  await queryRunner.addColumns(name, missing);
  const added = missing.map((column) => column.name);
  // The index on both columns replaces the one on the end alone.
  if (added.includes('revokedAt')) await dropIndex(queryRunner, name, ['expiresAt']);
  for (const columns of INDEXED)
    if (added.includes(columns[0])) await queryRunner.createIndex(name, new TableIndex({ columnNames: [...columns] }));
  return added;
}

async function dropIndex(queryRunner: QueryRunner, name: string, columns: readonly string[]): Promise<void> {
  const table = await queryRunner.getTable(name);
  const index = table!.indices.find(({ columnNames }) => columnNames.toSorted().join() === columns.toSorted().join());
  if (index) await queryRunner.dropIndex(name, index);
}

function columnsOf(queryRunner: QueryRunner): Record<'sessions' | 'api_keys', TableColumn[]> {
  const nullable = (type: Pick<TableColumn, 'type'> & { length?: string }, ...names: string[]): TableColumn[] =>
    names.map((name) => new TableColumn({ name, ...type, isNullable: true }));
  const text = (length: number): { type: string; length: string } => ({ type: 'varchar', length: String(length) });
  const timestamp = timestampType(queryRunner);
  const both = (): TableColumn[] => [
    ...nullable(timestamp, 'lastUsedAt', 'revokedAt', 'rotatedAt'),
    ...nullable(text(64), 'revokedReason'),
    ...nullable(text(255), 'previousTokenDigest'),
  ];
  return {
    sessions: [
      ...both(),
      ...nullable(timestamp, 'authenticatedAt'),
      ...nullable(text(45), 'lastUsedIp'),
      ...nullable(text(255), 'lastUsedUserAgent'),
    ],
    api_keys: [...both(), ...nullable(jsonType(queryRunner), 'scopes')],
  };
}
