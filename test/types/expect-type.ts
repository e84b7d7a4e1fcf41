/** Whether two types are the same, and not only assignable to each other. */
export type Equal<A, B> =
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the idiom is about comparing the two functions
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only for `true`. */
export type Expect<T extends true> = T;
