import { isObject } from '../../errors/option-types.js';

/** The used part of a message's context, which only RabbitMQ's has. */
interface RabbitMqContext {
  getMessage(): object;
  getChannelRef(): { nack(message: object, allUpTo: boolean, requeue: boolean): void };
}

/** Several handlers of an event may refuse it, and a second answer would close the channel. */
const REJECTED = new WeakSet<object>();

/**
 * Rejects a RabbitMQ message, so that the next ones are delivered.
 *
 * @param requeueAfter seconds until it goes back into its queue; set for a message that may still pass
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

/** A channel that has closed meanwhile has requeued its messages itself. */
function unlessClosed(reject: () => void): void {
  try {
    reject();
  } catch {
    // Nobody is left to tell.
  }
}

function isRabbitMq(context: unknown): context is RabbitMqContext {
  return isObject(context) && 'getChannelRef' in context && 'getMessage' in context;
}
