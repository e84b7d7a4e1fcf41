import type { StandardSchemaV1 } from '@standard-schema/spec';

/** What a text in a request's body has to be; one line, well-formed, and short enough for the database. */
export interface TextRule {
  readonly min?: number;
  readonly max: number;
  /** A form that the text must have, with the words for it. */
  readonly form?: readonly [RegExp, string];
}

/**
 * A schema for `@Body({ schema })`: a JSON object with these texts. What else the object holds is left out.
 *
 * Nest's `StandardSchemaValidationPipe` answers what does not fit with a 400 that names every field.
 */
export function body<const R extends Readonly<Record<string, TextRule>>>(
  rules: R,
): StandardSchemaV1<unknown, { [K in keyof R]: string }> {
  const names = Object.keys(rules);
  return {
    '~standard': {
      version: 1,
      vendor: 'demo',
      validate(value) {
        if (typeof value !== 'object' || value === null || Array.isArray(value))
          return { issues: [{ message: `the body must be a JSON object with ${names.join(', ')}` }] };
        const given = new Map(Object.entries(value));
        const issues = Object.entries(rules).flatMap(([name, rule]) => {
          const problem = problemOf(given.get(name), rule);
          return problem === undefined ? [] : [{ path: [name], message: problem }];
        });
        if (issues.length > 0) return { issues };
        return {
          value: Object.fromEntries(names.map((name) => [name, given.get(name)])) as { [K in keyof R]: string },
        };
      },
    },
  };
}

/** The values that a schema lets through. */
export type BodyOf<S extends StandardSchemaV1> = StandardSchemaV1.InferOutput<S>;

/** A name that people read. */
export const NAME: TextRule = { max: 100, form: [/\S/, 'must not be blank'] };

function problemOf(value: unknown, { min = 1, max, form }: TextRule): string | undefined {
  if (value === undefined) return 'is required';
  if (typeof value !== 'string') return 'must be text';
  if (value.length < min || value.length > max) return `must have ${min} to ${max} characters`;
  if (/\p{Cc}/u.test(value) || !value.isWellFormed()) return 'must not contain control characters';
  return form && !form[0].test(value) ? form[1] : undefined;
}
