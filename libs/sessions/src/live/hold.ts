/** Something open that ends with a session. */
export interface Hold {
  /** Releases the hold: nothing is to be ended any more. */
  release(): void;
}
