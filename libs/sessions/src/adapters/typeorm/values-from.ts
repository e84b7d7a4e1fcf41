import { characterTest, type CharacterTest } from '../port/character-sets.js';
import { type Column, decimalDigits } from '../port/columns.js';
import type { ColumnFacts } from '../port/table-facts.js';
import { traitsOf } from '../port/type-traits.js';

/** The values that a column can hold, from the catalogue. */
export function valuesFrom({ kind, length }: Column, facts: ColumnFacts): Partial<Column> {
  // In SQLite, double-precision types may have any name.
  const { single: _single, ...traits } = traitsOf(facts.type);
  const { characterSet } = facts;
  if (kind === 'decimal') return { ...traits, ...decimalDigits(kind, facts) };
  // It has no character sets, and does not enforce lengths.
  if (characterSet === undefined || (kind !== 'string' && kind !== 'json')) return traits;
  const longest = kind === 'string' ? Math.min(length ?? Infinity, facts.length ?? Infinity) : Infinity;
  return {
    ...traits,
    ...(longest < Infinity && { length: longest }),
    characters: characterSet === IN_BYTES ? withinBytes(longest) : characterTest(characterSet),
  };
}

/** PostgreSQL's name for no character set; characters are then bytes. */
const IN_BYTES = 'SQL_ASCII';

function withinBytes(longest: number): CharacterTest {
  return (text) => Buffer.byteLength(text) <= longest;
}
