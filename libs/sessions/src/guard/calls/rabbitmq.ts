import { isObject } from '../../errors/option-types.js';

/** What is needed of a message's context, which only that of RabbitMQ has. */
interface RabbitMqContext {
  getMessage(): object;
  getChannelRef(): { nack(message: object, allUpTo: boolean, requeue: boolean): void };
}

/** Several handlers of an event may refuse it, and a second answer would end the channel. */
const REJECTED = new WeakSet<object>();

/**
 * Rejects a message of RabbitMQ, so that the next ones are delivered.
 *
 * @param requeueAfter seconds after which it is put back into its queue, for a message that may still be let through
 */
export function rejectMessage(context: unknown, requeueAfter: number | undefined): void {
  if (!isRabbitMq(context)) return;
  const message = context.getMessage();
  if (REJECTED.has(message)) return;
  REJECTED.add(message);
  const reject = (): void => context.getChannelRef().nack(message, false, requeueAfter !== undefined);
  if (requeueAfter === undefined) reject();
  else setTimeout(() => unlessClosed(reject), requeueAfter * 1000).unref();
}

/** A channel that has closed meanwhile has put its messages back itself. */
function unlessClosed(reject: () => void): void {
  try {
    reject();
  } catch {
    // There is nobody to tell.
  }
}

function isRabbitMq(context: unknown): context is RabbitMqContext {
  return isObject(context) && 'getChannelRef' in context && 'getMessage' in context;
}
