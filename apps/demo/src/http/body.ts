import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';

/** What a text in a request's body has to be; one line, well-formed, and short enough for the database. */
export interface TextRule {
  readonly min?: number;
  readonly max: number;
  /** A form that the text must have, with the words for it. */
  readonly form?: readonly [RegExp, string];
}

/** What a list in a request's body has to be: one or more of these texts. */
export interface ListRule<T extends string = string> {
  readonly someOf: readonly T[];
  /** The list where the body has none. */
  readonly fallback: readonly T[];
}

/** What validates a body, and describes it in OpenAPI. */
export interface BodySchema<Output> {
  readonly '~standard': StandardSchemaV1.Props<unknown, Output> & StandardJSONSchemaV1.Props<unknown, Output>;
}

type ValueOf<R> = R extends ListRule<infer T> ? T[] : string;

/**
 * A schema for `@Body({ schema })`: a JSON object with these texts and lists. What else the object holds is left out.
 *
 * Nest's `StandardSchemaValidationPipe` answers what does not fit with a 400 that names every field.
 */
export function body<const R extends Readonly<Record<string, TextRule | ListRule>>>(
  rules: R,
): BodySchema<{ [K in keyof R]: ValueOf<R[K]> }> {
  const entries = Object.entries(rules);
  const description = (): Record<string, unknown> => ({
    type: 'object',
    required: entries.filter(([, rule]) => 'max' in rule).map(([name]) => name),
    properties: Object.fromEntries(entries.map(([name, rule]) => [name, descriptionOf(rule)])),
  });
  return {
    '~standard': {
      version: 1,
      vendor: 'demo',
      jsonSchema: { input: description, output: description },
      validate(value) {
        if (typeof value !== 'object' || value === null || Array.isArray(value))
          return { issues: [{ message: `the body must be a JSON object with ${Object.keys(rules).join(', ')}` }] };
        const given = new Map(Object.entries(value));
        const issues = entries.flatMap(([name, rule]) => {
          const problem = 'max' in rule ? textProblem(given.get(name), rule) : listProblem(given.get(name), rule);
          return problem === undefined ? [] : [{ path: [name], message: problem }];
        });
        if (issues.length > 0) return { issues };
        const values = entries.map(([name, rule]) => [name, valueOf(given.get(name), rule)]);
        return { value: Object.fromEntries(values) as { [K in keyof R]: ValueOf<R[K]> } };
      },
    },
  };
}

/** The values that a schema lets through. */
export type BodyOf<S extends StandardSchemaV1> = StandardSchemaV1.InferOutput<S>;

/** A name that people read. */
export const NAME: TextRule = { max: 100, form: [/\S/, 'must not be blank'] };

export const PASSWORD: TextRule = { max: 1000 };
export const NEW_PASSWORD: TextRule = { ...PASSWORD, min: 8 };

/** A rule in JSON Schema, for OpenAPI 3.0. */
function descriptionOf(rule: TextRule | ListRule): Record<string, unknown> {
  if ('someOf' in rule) {
    const { someOf, fallback } = rule;
    return { type: 'array', minItems: 1, items: { type: 'string', enum: someOf }, default: fallback };
  }
  const { min = 1, max, form } = rule;
  return { type: 'string', minLength: min, maxLength: max, ...(form && { pattern: form[0].source }) };
}

function textProblem(value: unknown, { min = 1, max, form }: TextRule): string | undefined {
  if (value === undefined) return 'is required';
  if (typeof value !== 'string') return 'must be text';
  if (value.length < min || value.length > max) return `must have ${min} to ${max} characters`;
  if (/\p{Cc}/u.test(value) || !value.isWellFormed()) return 'must not contain control characters';
  return form && !form[0].test(value) ? form[1] : undefined;
}

function listProblem(value: unknown, { someOf }: ListRule): string | undefined {
  if (value === undefined) return undefined;
  const rule = `must be a list of ${someOf.join(', ')}`;
  if (!Array.isArray(value) || value.length === 0 || value.some((item) => typeof item !== 'string')) return rule;
  const others = (value as string[]).filter((item) => !someOf.includes(item));
  return others.length > 0 ? `${rule}, without ${others.map((item) => JSON.stringify(item)).join(', ')}` : undefined;
}

function valueOf(value: unknown, rule: TextRule | ListRule): unknown {
  return 'max' in rule ? value : [...new Set((value as string[] | undefined) ?? rule.fallback)];
}
