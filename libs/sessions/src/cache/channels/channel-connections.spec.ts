import { DataSource, type DataSourceOptions } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { SessionsConfigError } from '../../errors/errors.js';
import { connectionProblems } from './channel-connections.js';
import { PostgresChannel } from './postgres-channel.js';

const pool = (options: Partial<DataSourceOptions> = {}) =>
  new DataSource({ type: 'postgres', ...options } as DataSourceOptions);
const one = pool({ poolSize: 1 });
const two = pool({ poolSize: 2 });
const alsoTwo = pool({ extra: { max: 2 }, poolSize: 20 });
const ten = pool();

describe('the connections of a channel of PostgreSQL', () => {
  it.each<[string, DataSource, DataSource, DataSource[], string[]]>([
    ['a pool of their own', two, two, [], []],
    ['a pool of one', one, one, [], ['2 connections of a data source (to listen, to send) whose pool has 1']],
    ['the pool of the tables, as it comes', ten, ten, [ten], []],
    ['a pool of one, and that of the tables', one, alsoTwo, [alsoTwo], []],
    ['a pool of one, and one of tables', one, one, [ten], ['(to listen, to send) whose pool has 1']],
    [
      'a small pool of the tables',
      two,
      two,
      [two],
      ['3 connections of a data source (to listen, to send, for lookups)'],
    ],
    ['a small pool of the tables by the driver', alsoTwo, alsoTwo, [alsoTwo], ['lookups) whose pool has 2']],
    ['the pool of one that the tables have', two, one, [one], ['(to send, for lookups) whose pool has 1']],
  ])('are those of %s', (_, listenOn, publishOn, tables, problems) => {
    expect(connectionProblems({ listenOn, publishOn }, new Set(tables))).toEqual(
      problems.map((problem) => expect.stringContaining(problem) as string),
    );
  });

  it('are not waited for where there is only one for both', async () => {
    const connecting = new PostgresChannel(one).connect(
      () => undefined,
      () => undefined,
    );
    await expect(connecting).rejects.toThrow(SessionsConfigError);
  });
});
