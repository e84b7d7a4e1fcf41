import type { DataSource } from 'typeorm';
import { configured } from '../../errors/known-options.js';
import { BOOLEAN, type OptionType } from '../../errors/option-types.js';
import { PreparedStatements } from './prepared-statements.js';

/** How an adapter uses its data source. */
export interface TypeOrmAdapterOptions {
  /** Whether what is run often is kept prepared by the database, on each connection. @default true */
  readonly preparedStatements?: boolean;
}

const ADAPTER_OPTIONS = { preparedStatements: BOOLEAN } satisfies Record<keyof TypeOrmAdapterOptions, OptionType>;

/** `undefined` if the options disable them. @throws SessionsConfigError for unknown options */
export function preparedStatements(
  dataSource: DataSource,
  options: TypeOrmAdapterOptions,
): PreparedStatements | undefined {
  const { preparedStatements = true } = configured('TypeOrmAdapter', options, ADAPTER_OPTIONS);
  return preparedStatements ? PreparedStatements.of(dataSource) : undefined;
}
