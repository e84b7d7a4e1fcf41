import type { OptionType } from '../errors/option-types.js';

/** What the guard does beside refusing a message of RPC. */
export interface RpcOptions {
  /**
   * What becomes of a refused message of RabbitMQ where the consumer acknowledges by hand (`noAck: false`): `'nack'`: it is
   * rejected, so that the next ones come, and an event that could not be looked up is put back into its queue. With `noAck: true`
   * that would end the channel.
   *
   * @default it stays unacknowledged, as any that a guard refuses
   */
  readonly refusedMessages?: 'nack';
}

export const RPC_OPTIONS = {
  refusedMessages: { is: (value) => value === 'nack', what: "'nack'" },
} satisfies Record<keyof RpcOptions, OptionType>;
