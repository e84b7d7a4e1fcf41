import type { OptionType } from '../errors/option-types.js';

/** What the guard does with an RPC message beside refusing it. */
export interface RpcOptions {
  /**
   * What happens to a refused RabbitMQ message if the consumer acknowledges by hand (`noAck: false`). `'nack'` rejects it, so
   * that the next ones arrive, and puts an event that could not be looked up back into its queue. Do not use it with
   * `noAck: true`, where it would close the channel.
   *
   * @default the message stays unacknowledged
   */
  readonly refusedMessages?: 'nack';
}

export const RPC_OPTIONS = {
  refusedMessages: { is: (value) => value === 'nack', what: "'nack'" },
} satisfies Record<keyof RpcOptions, OptionType>;
