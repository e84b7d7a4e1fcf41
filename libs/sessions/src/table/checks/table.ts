import { tableNameOf } from '../definition.js';
import type { Finding, LookedAtTable } from './finding.js';
import { nameCutOff, nameTooLong, noTransactions, ROW_SECURITY } from './messages.js';

/** What MySQL and MariaDB keep tables with that knows no transactions. */
const WITHOUT_TRANSACTIONS = ['myisam', 'aria', 'memory', 'archive', 'csv'];

export function rowSecurity({ table }: LookedAtTable): Finding[] {
  return table.rowSecurity ? [{ code: 'rowSecurity', text: ROW_SECURITY }] : [];
}

export function engine({ table }: LookedAtTable): Finding[] {
  const { engine: name, entity } = table;
  return name !== undefined && WITHOUT_TRANSACTIONS.includes(name)
    ? [{ code: 'noTransactions', text: noTransactions(name), statement: `ALTER TABLE ${entity.path} ENGINE = InnoDB` }]
    : [];
}

type Named = Pick<LookedAtTable, 'definition' | 'server'>;

/** A name that the database refuses, whether there is such a table yet or not. */
export function refusedName({ definition, server: { longestName } }: Named): Finding[] {
  const isTooLong =
    longestName && 'characters' in longestName && [...tableNameOf(definition)].length > longestName.characters;
  return isTooLong ? [{ code: 'nameTooLong', text: nameTooLong(longestName.characters) }] : [];
}

/** A name that the database cuts off. */
export function longName({ definition, server: { longestName } }: Named): Finding[] {
  const isCut = longestName && 'bytes' in longestName && Buffer.byteLength(tableNameOf(definition)) > longestName.bytes;
  return isCut ? [{ code: 'nameTooLong', text: nameCutOff(longestName.bytes) }] : [];
}
