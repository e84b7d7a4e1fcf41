import type { DataSource } from 'typeorm';

/** What `pg` and `mysql2` have where nobody says anything. */
const DEFAULT = 10;

/** How many connections the pool of a data source has at the most; any number where there is no pool, or no limit. */
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

/** What those drivers call it, which wins over TypeORM's name. */
interface PoolOptions {
  readonly max?: number;
  readonly connectionLimit?: number;
}
