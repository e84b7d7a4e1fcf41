import { z } from 'zod';

/**
 * A schema for `@Body({ schema })`: a JSON object with these fields. Others are dropped.
 *
 * Nest's `StandardSchemaValidationPipe` answers an invalid body with a 400 that names every field.
 */
export function body<T extends z.ZodRawShape>(fields: T): z.ZodObject<T> {
  return z.object(fields, `the body must be a JSON object with ${Object.keys(fields).join(', ')}`);
}

/** One line of well-formed text that fits into the database. Only the first problem is reported. */
export function text(min: number, max: number): z.ZodString {
  // Arrays have a length, too.
  const when = ({ value }: { value: unknown }): boolean => typeof value === 'string';
  const length = { error: `must have ${min} to ${max} characters`, abort: true, when };
  return z
    .string({ error: ({ input }) => (input === undefined ? 'is required' : 'must be text') })
    .min(min, length)
    .max(max, length)
    .refine(isOneLine, { error: 'must not contain control characters', abort: true });
}

/** One or more of these texts, each at most once. */
export function someOf<const T extends string>(values: readonly T[]): z.ZodType<T[], T[]> {
  const all = values.join(', ');
  const list = `must be a list of ${all}`;
  return z
    .array(z.enum(values, `must be one of ${all}`), list)
    .min(1, list)
    .transform((items) => [...new Set(items)]);
}

/** A name that people read. */
export const NAME = text(1, 100).regex(/\S/, 'must not be blank');

export const PASSWORD = text(1, 1000);
export const NEW_PASSWORD = text(8, 1000);

function isOneLine(value: string): boolean {
  return !/\p{Cc}/u.test(value) && value.isWellFormed();
}
