import { FindOperator } from 'typeorm';

/** A place in a prepared query that is filled in when it is executed. */
export class Param {
  constructor(readonly name: string) {}
}

/**
 * Stands for a value in the options of `prepare`, to be given by name to `execute`.
 *
 * @example
 * ```ts
 * const byOwner = adapter.prepare('all', Sessions.entity, { where: { userId: param('owner') } });
 * await adapter.execute(byOwner, { owner: 'u1' });
 * ```
 */
export function param(name: string): Param {
  return new Param(name);
}

export type JsonKey = string | number;

/** The operator that {@link JsonPath} makes; TypeORM's own query builder does not know it. */
export class JsonPathOperator extends FindOperator<unknown> {
  constructor(
    readonly path: readonly JsonKey[],
    readonly operand: unknown,
  ) {
    super('raw', operand);
  }
}

/**
 * A find operator that looks inside a JSON column: the text, number or boolean at `path` equals `value`, or satisfies
 * an operator. An absent path and a JSON null are null; a value of another type than the one asked for is unequal.
 *
 * @example
 * ```ts
 * await sessions.list({ data: JsonPath(['device', 'name'], 'iPhone') });
 * await sessions.list({ data: JsonPath(['photos', 0, 'size'], MoreThan(100)) });
 * ```
 */
export function JsonPath(path: readonly JsonKey[], value: unknown): FindOperator<unknown> {
  return new JsonPathOperator(path, value);
}
