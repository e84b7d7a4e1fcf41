import type { QueryFailedError } from 'typeorm';
import { isText } from '../port/columns.js';
import type { DriverError } from './driver-errors.js';
import { insertedColumns, valuesByColumn } from './placeholders.js';
import type { SqlTable } from './sql-table.js';

export const CHARACTERS_LACKING = 'must not contain other characters than its column can store';

const UNTRANSLATABLE_CHARACTER = '22P05';
const TRUNCATED_WRONG_VALUE = 1366;
/** MySQL's errors in a prepared statement and in a comparison; they name no column. */
const IMPOSSIBLE_CONVERSIONS = new Set([3988, 3854]);

/** The properties of columns whose character sets cannot store their new values, if that is the cause of the error. */
export function unstorableColumns(error: QueryFailedError, table: SqlTable): readonly string[] {
  const { errno } = error.driverError as DriverError;
  if (IMPOSSIBLE_CONVERSIONS.has(errno!)) return beyondAscii(error, table);
  const named = unstorableColumn(error, table);
  return named === undefined ? [] : [named];
}

function unstorableColumn({ query, driverError }: QueryFailedError, table: SqlTable): string | undefined {
  const { code, errno, message = '', where = '' } = driverError as DriverError;
  if (errno === TRUNCATED_WRONG_VALUE) {
    const [, name] = /^Incorrect string value.* for column [`'](?:.*`\.`)?(.+)[`'] at row/s.exec(message) ?? [];
    return name === undefined ? undefined : table.metadata.findColumnWithDatabaseName(name)?.propertyPath;
  }
  const [, parameter] = /parameter \$(\d+)/.exec(where) ?? [];
  return code === UNTRANSLATABLE_CHARACTER && parameter
    ? columnOfParameter(query, Number(parameter), table)
    : undefined;
}

/** The column to which a statement assigns, or with which it compares, a parameter. */
function columnOfParameter(query: string, parameter: number, table: SqlTable): string | undefined {
  const assigned = [...table.columns.values()].find(({ sqlName }) =>
    query
      .split(`${sqlName} = $${parameter}`)
      .slice(1)
      .some((rest) => !/^\d/.test(rest)),
  );
  if (assigned) return assigned.property;
  const inserted = insertedColumns(query, table);
  return inserted?.[(parameter - 1) % inserted.length]?.property;
}

/** Text columns, or JSON columns stored as text, with new or compared values beyond ASCII. */
function beyondAscii(error: QueryFailedError, table: SqlTable): readonly string[] {
  const found = valuesByColumn(error, table).filter(
    ([column, value]) =>
      (isText(column) || column.kind === 'json') &&
      [value].flat().some((one) => typeof one === 'string' && NOT_ASCII.test(one)),
  );
  return [...new Set(found.map(([{ property }]) => property))];
}

const NOT_ASCII = /[^\0-\x7f]/;
