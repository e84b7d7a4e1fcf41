import type { DataSource, DataSourceOptions } from 'typeorm';
import { expect, it } from 'vitest';
import { dialectOf } from './index.js';

const of = (type: DataSourceOptions['type']) => () =>
  dialectOf({ options: { type }, driver: { options: { type } } } as DataSource);

it.each(['sqljs', 'capacitor', 'cockroachdb', 'aurora-mysql', 'mssql'] as const)(
  'a data source of %s is refused by its name',
  (type) => expect(of(type)).toThrow(`not on ${type}.`),
);

it.each(['postgres', 'mysql', 'mariadb', 'better-sqlite3'] as const)('one of %s is not', (type) =>
  expect(of(type)).not.toThrow(),
);
