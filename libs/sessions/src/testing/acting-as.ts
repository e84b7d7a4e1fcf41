import type { INestApplicationContext } from '@nestjs/common';
import { SessionsConfigError } from '../errors/errors.js';
import type { ResolvedSource } from '../http/credentials.js';
import { registryOf } from '../registry/registry-of.js';
import type { SessionsService } from '../service/sessions.service.js';
import type { AnyFields } from '../table/table-fields.js';
import type { NewSession } from '../table/inferred-types.js';
import type { AnySessionsTable } from '../registry/sessions-table.js';
import { takesNoTokenFrom } from './messages.js';

type TableOf<F extends AnyFields> = AnySessionsTable & (abstract new (...args: never[]) => SessionsService<F>);

/** The kinds of places that `credentials` of a table can name. */
type Place = 'bearer' | 'cookie' | 'header' | 'payload';

/**
 * Creates a session and returns the headers that carry its token, for a request, a handshake or a message, for
 * `connectionParams` of graphql-ws and for `auth` of Socket.IO, where cookies do not count. For `'payload'` it is the field of a
 * message.
 *
 * @param table the class of a table, or the name of one that was registered by a plain definition
 * @param place the place in the table's `credentials` for the token; by default the first that they name
 * @throws SessionsConfigError for a place that they do not name
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
  place?: Place,
): Promise<Record<string, string>> {
  const registry = registryOf(app);
  const store = registry.store(table);
  const { credentials } = store.options;
  const wanted = place ?? placeOf(credentials[0]!);
  const source = credentials.find((one) => placeOf(one) === wanted);
  if (!source) throw new SessionsConfigError([takesNoTokenFrom(store.name, wanted)]);
  const { authToken } = await registry.service(store).create(attributes);
  if (source === 'bearer') return { authorization: `Bearer ${authToken}` };
  if ('payload' in source) return { [source.payload]: authToken };
  if ('header' in source) return { [source.header]: authToken };
  return { cookie: `${source.cookie}=${authToken}`, 'sec-fetch-site': 'same-origin' };
}

function placeOf(source: ResolvedSource): string {
  return source === 'bearer' ? source : Object.keys(source)[0]!;
}
