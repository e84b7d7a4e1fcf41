/** A connection on which messages are heard and sent. */
export interface ChannelConnection {
  /** Sends a message to all who listen, this connection among them. */
  publish(message: string): Promise<unknown>;
  /** Closes the connection; nothing is heard on it afterwards. */
  close(): Promise<void>;
}

/**
 * How the processes of an application tell each other which sessions they have changed, so that the near cache of each
 * forgets them: messages that come in the order in which they were sent, to all who are connected.
 */
export interface InvalidationChannel {
  /**
   * Connects, and resolves when every message that is sent from now on will be heard.
   *
   * @param lost called when messages may have been missed; another connection is then asked for
   */
  connect(heard: (message: string) => void, lost: (reason: unknown) => void): Promise<ChannelConnection>;
}
