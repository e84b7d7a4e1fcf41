import { QueryFailedError } from 'typeorm';
import { UniqueConstraintError } from '../../errors/errors.js';
import type { SqlTable } from './sql-table.js';

interface DriverError {
  readonly code?: string;
  readonly constraint?: string;
  readonly message?: string;
}

/**
 * The error as the port has it. What a database says of a duplicate contains the values, which may be digests, so
 * nothing of it but the columns is kept.
 */
export function portError(error: unknown, table: SqlTable): unknown {
  if (!(error instanceof QueryFailedError)) return error;
  const { code, constraint, message = '' } = error.driverError as DriverError;
  switch (code) {
    case '23505':
      return new UniqueConstraintError(table.name, columnsOfConstraint(table, constraint ?? ''));
    case 'ER_DUP_ENTRY':
      return new UniqueConstraintError(
        table.name,
        columnsOfConstraint(table, /for key '(?:[^']*\.)?([^'.]+)'$/.exec(message)?.[1] ?? ''),
      );
    case 'SQLITE_CONSTRAINT_UNIQUE':
    case 'SQLITE_CONSTRAINT_PRIMARYKEY':
      return new UniqueConstraintError(
        table.name,
        propertiesOf(
          table,
          [...message.matchAll(/[^\s,]+\.([^\s,.]+)/g)].map((match) => match[1]!),
        ),
      );
    default:
      return error;
  }
}

function columnsOfConstraint({ metadata, primary }: SqlTable, name: string): string[] {
  const found = [...metadata.uniques, ...metadata.indices].find((constraint) => constraint.name === name);
  if (found) return found.columns.map((column) => column.propertyPath);
  return name === 'PRIMARY' || name === metadata.primaryColumns[0]?.primaryKeyConstraintName || /^PK_|_pkey$/.test(name)
    ? primary.map((column) => column.property)
    : columnNamedBy(metadata, name);
}

/** Of a table that TypeORM did not make, the columns whose names stand in the constraint's. */
function columnNamedBy(metadata: SqlTable['metadata'], name: string): string[] {
  return metadata.columns.filter((column) => name.includes(column.databaseName)).map((column) => column.propertyPath);
}

function propertiesOf({ metadata }: SqlTable, names: readonly string[]): string[] {
  return names.map((name) => metadata.findColumnWithDatabaseName(name)?.propertyPath ?? name);
}
