import { spellingsOf } from '../../../util/uuid.js';
import type { Column, ValueForm } from '../../port/columns.js';
import type { ColumnCodec } from './dialect.js';

/** The codecs of a database for forms that it has in another way than others of their kind. */
export type FormCodecs = Readonly<Partial<Record<ValueForm, ColumnCodec>>>;

/** The codec of hexadecimal digits that a column holds as bytes. */
export function bytesCodec(read: (sql: string) => string): ColumnCodec {
  return { read, dump: (value) => Buffer.from(value as string, 'hex') };
}

/** The codec of UUIDs that a column of text holds, where that tells capital letters apart. */
export const TEXT_OF_UUIDS: ColumnCodec = { spellings: spellingsOf };

/** The codec of a column by the form of its values; none where that is the way of their kind. */
export function formCodec({ form }: Column, codecs: FormCodecs): ColumnCodec | undefined {
  return form && codecs[form];
}
