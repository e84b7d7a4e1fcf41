import type { ColumnMapping } from '@app/sessions';
import type { DatabaseName } from '../support/databases.js';
import type { TableDefinition } from './definition.js';
import { laidOut, type TableKind } from './kind.js';

/** Tables whose digests are of one type, by database, and what a definition says of them and beside. */
function digested(
  name: string,
  types: Readonly<Partial<Record<DatabaseName, string>>>,
  mapping?: ColumnMapping,
  options: Partial<TableDefinition> = {},
): TableKind {
  const layouts = Object.entries(types).map(([database, type]) => {
    const columns = { authTokenDigest: `${type} NOT NULL UNIQUE`, previousTokenDigest: type };
    return [database, { columns }] as const;
  });
  const columns = mapping && { authTokenDigest: mapping, previousTokenDigest: mapping };
  return {
    name: `digests: ${name}`,
    ...laidOut(Object.fromEntries(layouts)),
    definition: () => ({ ...options, ...(columns && { columns }) }),
  };
}

const KEYS = [{ id: 'k1', secret: 'a secret of at least 32 bytes, kept elsewhere' }];

export const DIGESTS: readonly TableKind[] = [
  digested('bytes', { postgres: 'bytea', mariadb: 'varbinary(32)', sqlite: 'blob' }),
  digested('bytes of one length', { mariadb: 'binary(32)' }),
  digested('base64url', { postgres: 'char(43)', mariadb: 'char(43)', sqlite: 'text' }, { form: 'base64url' }),
  digested('bytes, by keys', { mariadb: 'varbinary(35)', postgres: 'bytea', sqlite: 'blob' }, undefined, {
    keys: KEYS,
  }),
  { ...digested('longer than their column', { mariadb: 'varbinary(31)' }), refused: 'with these hashing options' },
  {
    ...digested('of other lengths than their column', { mariadb: 'binary(32)' }, undefined, { keys: KEYS }),
    refused: 'with these hashing options',
  },
];
