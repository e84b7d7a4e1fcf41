/**
 * A call on a connection that carries no credentials of its own, so that it has the session of the connection. A copy of
 * it, as a subclass of the guard makes one to take a token from a message, is none.
 */
export abstract class ConnectionCall {
  readonly #isNoCopy = true;

  static is(call: object): boolean {
    return #isNoCopy in call && call.#isNoCopy;
  }
}
