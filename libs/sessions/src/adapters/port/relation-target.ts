import type { Schema } from './query.js';

/** Gives the entity of a relation as TypeORM finds it, which takes no schema from a function: by its class, or its name. */
export interface TargetFunction {
  (): Function | string;
  /** The entity as it was given, for an adapter that knows it by its schema alone. */
  readonly given: () => Schema;
}
