import type { BaseSession } from '@app/sessions';
import type { BUILT_IN_COLUMNS, HiddenColumn } from '../../libs/sessions/src/table/built-in-columns.js';
import type { Equal, Expect } from './expect-type.js';

type Columns = typeof BUILT_IN_COLUMNS;
type Optional<T> = { [K in keyof T]-?: {} extends Pick<T, K> ? K : never }[keyof T];
type PresentIfAsked = {
  [K in keyof Columns]: Columns[K] extends { readonly presentIf: string } ? K : never;
}[keyof Columns];

export type BuiltInColumns = [
  // A session shows what its columns hold, all but the hidden ones, and whether it has ended.
  Expect<Equal<Exclude<keyof Columns, HiddenColumn>, Exclude<keyof BaseSession, 'isExpired'>>>,
  Expect<Equal<HiddenColumn, 'authTokenDigest' | 'previousTokenDigest' | 'fixedEnd'>>,
  // What only some tables have is optional; `data` is, since it can be loaded on demand.
  Expect<Equal<Optional<BaseSession>, Exclude<PresentIfAsked, HiddenColumn> | 'data'>>,
];
