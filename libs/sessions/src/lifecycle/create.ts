import type { EntityManager } from 'typeorm';
import { earlier, lifetimeLimits, nextEnd } from '../session/lifetime.js';
import { newAttributes } from '../table/attributes.js';
import { lastUseOf } from '../table/definition.js';
import { newKey } from '../table/key.js';
import { checkProof } from './credentials-changed.js';
import { insertWithinLimits } from './insert-session.js';
import { keptOf, type SessionUse } from './last-use.js';
import { type OwnLimits, storedLimits } from './own-limits.js';
import { sessionFrom } from './read-session.js';
import { newToken, type SessionWithToken } from './replace-token.js';
import { adapterIn, type TableContext } from './table-context.js';

/** How to create a session. */
interface Options extends OwnLimits {
  readonly manager?: EntityManager | undefined;
  /** The session that it replaces. */
  readonly replaces?: { readonly id: string } | null | undefined;
  readonly provedAt?: Date | undefined;
  /** The client it comes from, on a table that keeps the last use. */
  readonly use?: SessionUse | undefined;
  /** Whether use moves the given end. @default true if the session has its own ttl */
  readonly extend?: boolean | undefined;
}

/**
 * Creates a session with its token.
 *
 * @throws SessionValidationError naming every missing, unknown or wrong field; nothing is written
 * @throws as {@link checkProof} and {@link insertWithinLimits}
 */
export async function create(
  table: TableContext,
  attributes: object,
  { manager, replaces, provedAt, use, extend, ...own }: Options,
): Promise<SessionWithToken> {
  if (provedAt !== undefined) checkProof(table, provedAt);
  const now = table.now();
  const { definition, columns } = table;
  const { values: given, stored } = newAttributes(columns, attributes);
  const ownLimits = storedLimits(table, own, now);
  const createdAt = table.times.stored('createdAt', now);
  const limits = lifetimeLimits({ createdAt, ...ownLimits }, table.options);
  const adapter = adapterIn(table, manager);
  const lastUse = lastUseOf(definition);
  const isFixed = given['expiresAt'] instanceof Date && !(extend ?? own.ttl !== undefined);
  const row = table.times.row({
    ...table.unset,
    id: newKey(definition, columns.columns.get('id')!, now.getTime()),
    ...given,
    ...ownLimits,
    expiresAt:
      'expiresAt' in given ? earlier(given['expiresAt'] as Date | null, limits.absoluteEnd) : nextEnd(now, limits),
    ...(definition.freshness && { authenticatedAt: now }),
    ...(lastUse && use && { lastUsedAt: now, ...keptOf(lastUse, use) }),
    ...(isFixed && (await table.fixedEnds.given(true, adapter))),
    createdAt,
    updatedAt: now,
  });
  const { authToken, authTokenDigest } = newToken(table);
  const written = { ...row, ...stored, expiresAt: row['expiresAt'], authTokenDigest };
  const kept = await insertWithinLimits(table, adapter, row, written, { replaced: replaces?.id, provedAt });
  const session = sessionFrom(table, { ...row, ...kept });
  table.events.emit({ type: 'created', session });
  return { session, authToken };
}
