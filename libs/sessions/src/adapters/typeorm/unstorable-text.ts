import type { QueryFailedError } from 'typeorm';
import type { DriverError } from './driver-errors.js';
import type { SqlTable } from './sql-table.js';

export const CHARACTERS_LACKING = 'must not contain other characters than its column can store';

const UNTRANSLATABLE_CHARACTER = '22P05';
const TRUNCATED_WRONG_VALUE = 1366;

/** The property of the column whose character set cannot store what it was to get, where that is what went wrong. */
export function unstorableColumn({ query, driverError }: QueryFailedError, table: SqlTable): string | undefined {
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

/** The column that a parameter is assigned to, or compared with, in a statement. */
function columnOfParameter(query: string, parameter: number, { columns }: SqlTable): string | undefined {
  const all = [...columns.values()];
  const assigned = all.find(({ sqlName }) =>
    query
      .split(`${sqlName} = $${parameter}`)
      .slice(1)
      .some((rest) => !/^\d/.test(rest)),
  );
  if (assigned) return assigned.property;
  const values = query.indexOf(') VALUES (');
  const head = query.slice(query.indexOf('('), values);
  const named = all
    .filter(({ sqlName }) => head.includes(sqlName))
    .toSorted((a, b) => head.indexOf(a.sqlName) - head.indexOf(b.sqlName));
  return values < 0 ? undefined : named[(parameter - 1) % named.length]?.property;
}
