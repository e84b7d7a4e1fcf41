/** What is open because a session is valid. */
export interface Hold {
  /** Lets it go: nothing is to be ended any more. */
  release(): void;
}
