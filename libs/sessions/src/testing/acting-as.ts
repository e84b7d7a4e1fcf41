import type { INestApplicationContext } from '@nestjs/common';
import { registryOf } from '../registry/registry-of.js';
import type { SessionsService } from '../service/sessions.service.js';
import type { AnyFields } from '../table/table-fields.js';
import type { NewSession } from '../table/inferred-types.js';
import type { AnySessionsTable } from '../registry/sessions-table.js';

type TableOf<F extends AnyFields> = AnySessionsTable & (abstract new (...args: never[]) => SessionsService<F>);

/**
 * Begins a session and returns the headers of a request that carries its token, as the table's guard takes them; of a table
 * that takes it from the payload of messages first, what is put into that.
 *
 * @param table the class of a table, or the name of one that was registered by a plain definition
 * @example
 * ```ts
 * const headers = await actingAs(app, Sessions, { userId: 'u1' });
 * await fetch(`${url}/me`, { headers });
 * ```
 */
export async function actingAs<F extends AnyFields>(
  app: Pick<INestApplicationContext, 'get'>,
  table: TableOf<F> | string,
  attributes: NewSession<F>,
): Promise<Record<string, string>> {
  const registry = registryOf(app);
  const store = registry.store(table);
  const { authToken } = await registry.service(store).create(attributes);
  const [source = 'bearer'] = store.options.credentials;
  if (source === 'bearer') return { authorization: `Bearer ${authToken}` };
  if ('payload' in source) return { [source.payload]: authToken };
  if ('header' in source) return { [source.header]: authToken };
  return { cookie: `${source.cookie}=${authToken}`, 'sec-fetch-site': 'same-origin' };
}
