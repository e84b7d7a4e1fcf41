import type { Conditions, Prepared, QueryKind, QueryOptions, Row, Schema } from '../adapters/port/query.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import { shapeOf } from '../adapters/query/shapes.js';

/**
 * The most statements to keep: more than the calls need, unless an application updates many different sets of fields.
 */
const MOST = 64;

/** A query with conditions. */
interface WriteOptions extends QueryOptions {
  readonly where: Conditions;
}

/** A statement and the values of its parameters. */
interface Bound {
  readonly prepared: Prepared;
  readonly params: Row;
}

/** The statements of a table that change, delete or count sessions. Kept statements are compiled once, whatever their values. */
export class Statements {
  readonly #byShape = new Map<string, Prepared>();

  constructor(private readonly entity: Schema) {}

  /**
   * The statement of a query, with its parameters. A statement that is not to be kept, or cannot be, is compiled anew.
   */
  of(adapter: SessionsAdapter, kind: QueryKind, query: WriteOptions): Bound {
    const kept = query.keepPrepared ? this.#kept(adapter, kind, query) : undefined;
    return kept ?? { prepared: this.#compile(adapter, kind, { ...query, keepPrepared: false }), params: {} };
  }

  #kept(adapter: SessionsAdapter, kind: QueryKind, query: WriteOptions): Bound | undefined {
    if (query.take !== undefined || query.skip !== undefined || query.order) return undefined;
    const shape = shapeOf(query.set, query.where);
    if (!shape) return undefined;
    const { set, where, params } = shape;
    const { returning = [], select = [], currentRows = false } = query;
    if (!Array.isArray(select)) return undefined;
    const key = `${kind} ${shape.key} ${returning.join()} ${select.join()} ${currentRows}`;
    let prepared = this.#byShape.get(key);
    if (!prepared) {
      if (this.#byShape.size >= MOST) return undefined;
      this.#byShape.set(key, (prepared = this.#compile(adapter, kind, { ...query, set, where })));
    }
    return { prepared, params };
  }

  #compile(adapter: SessionsAdapter, kind: QueryKind, query: WriteOptions): Prepared {
    return adapter.prepare(kind, this.entity, query);
  }
}
