/** A value that the library keeps with an object of somebody else, where nothing can list, copy or overwrite it. */
export interface PrivateField<T> {
  get(object: object): T | undefined;
  set(object: object, value: T): void;
}

/** Its subclasses add their private fields to the object that they are given. */
class Itself {
  constructor(object: object) {
    return object;
  }
}

/**
 * Creates a private field for objects of somebody else. It does what a `WeakMap` does, for objects that come with each request:
 * the entries of a `WeakMap` make collecting garbage several times as slow.
 */
export function privateField<T>(): PrivateField<T> {
  return class Holder extends Itself {
    #value: T | undefined;

    static get(object: object): T | undefined {
      return #value in object ? object.#value : undefined;
    }

    static set(object: object, value: T): void {
      (#value in object ? object : new Holder(object)).#value = value;
    }
  };
}
