import type { DataSource } from 'typeorm';

/** The default of `pg` and `mysql2`. */
const DEFAULT = 10;

/** The most connections in a data source's pool; `undefined` without a pool or limit. */
export function poolSizeOf({ options }: DataSource): number | undefined {
  const { poolSize, extra = {} } = options as { readonly poolSize?: number; readonly extra?: PoolOptions };
  switch (options.type) {
    case 'postgres':
      return extra.max ?? poolSize ?? DEFAULT;
    case 'mysql':
    case 'mariadb':
      return (extra.connectionLimit ?? poolSize ?? DEFAULT) || undefined;
    default:
      return undefined;
  }
}

/** The drivers' own options, which override TypeORM's. */
interface PoolOptions {
  readonly max?: number;
  readonly connectionLimit?: number;
}
