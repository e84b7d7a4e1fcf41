import { limitsOf, ownerOf } from '../definition.js';
import { digestsOf } from '../columns.js';
import type { Finding, LookedAtTable } from './finding.js';
import { indexInvalid, indexMissing, ownerWithoutIndex, uniqueMissing } from './messages.js';

type Columns = readonly (string | null)[];

/** Whether an index that begins with these columns, in this order, finds rows. */
function finds({ table }: LookedAtTable, columns: Columns): boolean {
  return table.indexes!.some(
    ({ columns: indexed, valid, predicate }) =>
      // An index on non-null rows finds everything that equals a value.
      valid &&
      (predicate === undefined || /IS NOT NULL/i.test(predicate)) &&
      columns.every((name, i) => indexed[i] === name),
  );
}

/** Whether a unique index enforces this. One on an expression, or on some rows, is given the benefit of the doubt. */
function keepsUnique({ table }: LookedAtTable, columns: Columns): boolean {
  return table.indexes!.some(
    ({ columns: indexed, unique, valid, ofPrefixes = false }) =>
      unique && valid && !ofPrefixes && indexed.every((name) => name === null || columns.includes(name)),
  );
}

/** The names of the digest columns. Two tokens are never equal by chance, so a non-unique index suffices. */
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

/** The owner fields by which sign-ins look for sessions, without an index in the table and in the definition. */
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
