import type { Column, Columns } from '../adapters/port/columns.js';
import { DIGEST_BYTES } from '../adapters/port/value-forms.js';
import { digestSize, type DigestScheme } from '../token/digest.js';
import { digestsOf } from './columns.js';
import type { SessionsTableDefinition } from './definition.js';
import { digestsDiffer, digestsTooLong, digestsUneven, inColumn, tokensAsBytes } from './messages.js';

/** Why a table cannot hold its values, as far as the adapter knows. */
export function storageProblems(
  definition: SessionsTableDefinition,
  { columns }: Columns,
  schemes: readonly DigestScheme[],
): string[] {
  const digests = digestsOf(definition).flatMap((property) => columns.get(property) ?? []);
  const [first, second] = digests;
  const all: (readonly [Column, string | undefined])[] = [
    ...Array.from(columns.values(), (column) => [column, column.problem] as const),
    ...digests.map((column) => [column, digestProblem(column, schemes)] as const),
    // One column gets values of the other.
    ...(second && first!.form !== second.form ? [[second, digestsDiffer(first!.property)] as const] : []),
  ];
  return all.flatMap(([{ property }, problem]) => (problem === undefined ? [] : [inColumn(property, problem)]));
}

/** Why a column cannot hold the digests of all schemes. */
function digestProblem({ form = 'hex', length, filled }: Column, schemes: readonly DigestScheme[]): string | undefined {
  // The check of the table covers other columns.
  if (form === 'hex') return undefined;
  const sizes = schemes.map(digestSize);
  const known = sizes.filter((size) => size !== undefined);
  if (known.length < sizes.length) return tokensAsBytes(form);
  const needed = known.map(({ prefix, bytes }) => prefix + (LENGTHS[form] ?? LENGTHS['hex']!)(bytes));
  const longest = Math.max(0, ...needed);
  if (length === undefined) return undefined;
  if (longest > length) return digestsTooLong(form, longest, length);
  return filled && needed.some((size) => size !== length) ? digestsUneven(length) : undefined;
}

/** The length of so many bytes in each form. */
const LENGTHS: Readonly<Record<string, (bytes: number) => number>> = {
  hex: (bytes) => 2 * bytes,
  base64url: (bytes) => Math.ceil((bytes * 4) / 3),
  [DIGEST_BYTES]: (bytes) => bytes,
};
