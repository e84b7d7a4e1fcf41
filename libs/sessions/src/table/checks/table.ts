import { tableNameOf } from '../definition.js';
import type { TableKind } from '../../adapters/port/table-facts.js';
import type { Finding, LookedAtTable } from './finding.js';
import {
  nameCutOff,
  nameTooLong,
  notATable,
  noTransactions,
  policiesMissing,
  ROW_SECURITY,
  RULES,
  VIEW_UNCHANGEABLE,
} from './messages.js';

/** Storage engines of MySQL and MariaDB without transactions. */
const WITHOUT_TRANSACTIONS = ['myisam', 'aria', 'memory', 'archive', 'csv'];

/** The kinds of table that can hold sessions. */
const SUITABLE: readonly TableKind[] = ['table', 'partitioned', 'system-versioned', 'view'];

/** Reports anything but a table or an updatable view. */
export function kindOfTable({ table: { kind, changeable, rules } }: LookedAtTable): Finding[] {
  const texts = [
    ...(SUITABLE.includes(kind) ? [] : [notATable(kind)]),
    ...(kind === 'view' && changeable === false ? [VIEW_UNCHANGEABLE] : []),
    ...(rules ? [RULES] : []),
  ];
  return texts.map((text) => ({ code: 'kindOfTable', text }));
}

/** Reports row-level policies that let statements find or write no row. */
export function policies({ table: { refusedByPolicies = [] } }: LookedAtTable): Finding[] {
  return refusedByPolicies.length > 0 ? [{ code: 'rowSecurity', text: policiesMissing(refusedByPolicies) }] : [];
}

export function rowSecurity({ table }: LookedAtTable): Finding[] {
  return table.rowSecurity && !table.refusedByPolicies?.length ? [{ code: 'rowSecurity', text: ROW_SECURITY }] : [];
}

export function engine({ table }: LookedAtTable): Finding[] {
  const { engine: name, entity } = table;
  return name !== undefined && WITHOUT_TRANSACTIONS.includes(name)
    ? [{ code: 'noTransactions', text: noTransactions(name), statement: `ALTER TABLE ${entity.path} ENGINE = InnoDB` }]
    : [];
}

type Named = Pick<LookedAtTable, 'definition' | 'server'>;

/** Reports a name that the database refuses, whether or not the table exists yet. */
export function refusedName({ definition, server: { longestName } }: Named): Finding[] {
  const isTooLong =
    longestName && 'characters' in longestName && [...tableNameOf(definition)].length > longestName.characters;
  return isTooLong ? [{ code: 'nameTooLong', text: nameTooLong(longestName.characters) }] : [];
}

/** Reports a name that the database truncates. */
export function longName({ definition, server: { longestName } }: Named): Finding[] {
  const isCut = longestName && 'bytes' in longestName && Buffer.byteLength(tableNameOf(definition)) > longestName.bytes;
  return isCut ? [{ code: 'nameTooLong', text: nameCutOff(longestName.bytes) }] : [];
}
