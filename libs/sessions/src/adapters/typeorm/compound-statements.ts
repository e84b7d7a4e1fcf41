import type { DataSource } from 'typeorm';
import { isUnknownSyntax } from './driver-errors.js';

/** The data sources whose server knows no compound statements, such as one with `sql_mode` ORACLE. */
const WITHOUT = new WeakSet<DataSource>();

/** Sends a compound statement; `undefined` if the server does not know those. */
export async function asCompound<T>(dataSource: DataSource, send: () => Promise<T>): Promise<T | undefined> {
  if (WITHOUT.has(dataSource)) return undefined;
  try {
    return await send();
  } catch (error) {
    if (!isUnknownSyntax(error)) throw error;
    WITHOUT.add(dataSource);
    return undefined;
  }
}
