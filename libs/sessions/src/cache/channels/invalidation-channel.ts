/** A connection that hears and sends messages. */
export interface ChannelConnection {
  /** Sends a message to all listeners, including this connection. */
  publish(message: string): Promise<unknown>;
  /** Closes the connection; nothing is heard on it afterwards. */
  close(): Promise<void>;
}

/**
 * How the processes of an application tell each other which sessions they have changed, so that the near cache of each
 * forgets them. Messages arrive in the order in which they were sent, at everybody who is connected.
 */
export interface InvalidationChannel {
  /**
   * Connects, and resolves when every message that is sent from now on will be heard.
   *
   * @param lost called when messages may have been missed; the caller then connects again
   */
  connect(heard: (message: string) => void, lost: (reason: unknown) => void): Promise<ChannelConnection>;
}
