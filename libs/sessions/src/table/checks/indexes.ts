import { limitsOf, ownerOf } from '../definition.js';
import { digestsOf } from '../columns.js';
import type { Finding, LookedAtTable } from './finding.js';
import { indexInvalid, indexMissing, ownerWithoutIndex, uniqueMissing } from './messages.js';

type Columns = readonly (string | null)[];

/** Whether rows are found by an index that begins with these columns, in their order. */
function finds({ table }: LookedAtTable, columns: Columns): boolean {
  return table.indexes!.some(
    ({ columns: indexed, valid, predicate }) =>
      // One of the rows that are not null finds all that equal something.
      valid &&
      (predicate === undefined || /IS NOT NULL/i.test(predicate)) &&
      columns.every((name, i) => indexed[i] === name),
  );
}

/** Whether a unique index keeps these columns so; one of an expression, or of some rows, may be meant to. */
function keepsUnique({ table }: LookedAtTable, columns: Columns): boolean {
  return table.indexes!.some(
    ({ columns: indexed, unique, valid, ofPrefixes = false }) =>
      unique && valid && !ofPrefixes && indexed.every((name) => name === null || columns.includes(name)),
  );
}

/** The names of the columns of digests. By chance two tokens are never the same, so that an index of any kind does. */
function digestNames({ definition, table }: LookedAtTable): (string | undefined)[] {
  return digestsOf(definition).map((property) => table.entity.columns.get(property)?.name);
}

export function missingUniques(at: LookedAtTable): Finding[] {
  const { indexes, entity } = at.table;
  if (!indexes) return [];
  const digests = digestNames(at);
  return entity.indexes.flatMap(({ columns, unique, addedBy }): Finding[] =>
    !unique || digests.includes(columns[0]) || keepsUnique(at, columns)
      ? []
      : [{ code: 'uniqueMissing', text: uniqueMissing(columns), statement: addedBy }],
  );
}

export function missingIndexes(at: LookedAtTable): Finding[] {
  const { indexes, entity } = at.table;
  if (!indexes) return [];
  const digests = digestNames(at);
  return entity.indexes.flatMap(({ columns, unique, addedBy }): Finding[] =>
    (unique && !digests.includes(columns[0])) || finds(at, columns)
      ? []
      : [{ code: 'indexMissing', text: indexMissing(columns), statement: addedBy }],
  );
}

/** The fields by which sign-ins look for the sessions of an owner, where the table has no index on them and is to have none. */
export function ownersWithoutIndex(at: LookedAtTable): Finding[] {
  const { definition, table } = at;
  if (!table.indexes) return [];
  const owners = new Set([...limitsOf(definition).map(([field]) => field), ownerOf(definition)]);
  return [...owners].flatMap((field): Finding[] => {
    const name = field === undefined ? undefined : table.entity.columns.get(field)?.name;
    const isAskedFor = table.entity.indexes.some(({ columns }) => columns[0] === name);
    return name === undefined || isAskedFor || finds(at, [name])
      ? []
      : [{ code: 'indexMissing', text: ownerWithoutIndex(name) }];
  });
}

export function invalidIndexes({ table }: LookedAtTable): Finding[] {
  return (table.indexes ?? [])
    .filter(({ valid }) => !valid)
    .map(({ name }) => ({
      code: 'indexInvalid',
      text: indexInvalid(name),
      statement: `REINDEX TABLE CONCURRENTLY ${table.entity.path}`,
    }));
}
