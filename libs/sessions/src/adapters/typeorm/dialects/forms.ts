import { spellingsOf } from '../../../util/uuid.js';
import type { Column, ValueForm } from '../../port/columns.js';
import type { ColumnCodec } from './dialect.js';

/** The codecs of a database for forms that differ from the usual one of their kind. */
export type FormCodecs = Readonly<Partial<Record<ValueForm, ColumnCodec>>>;

/** The codec of hexadecimal digits in a binary column. */
export function bytesCodec(read: (sql: string) => string): ColumnCodec {
  return { read, dump: (value) => Buffer.from(value as string, 'hex') };
}

/** The codec of UUIDs in a case-sensitive text column. */
export const TEXT_OF_UUIDS: ColumnCodec = { spellings: spellingsOf };

/** The codec for the form of a column's values; `undefined` for the usual form of their kind. */
export function formCodec({ form }: Column, codecs: FormCodecs): ColumnCodec | undefined {
  return form && codecs[form];
}
