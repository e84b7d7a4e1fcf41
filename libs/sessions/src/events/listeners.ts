import { merge, Observable, type Observer, type Operator, Subject, Subscriber } from 'rxjs';
import type { SessionEvent, SessionEventType } from './session-event.js';

/** Called with the error that a listener throws. */
export type ListenerFailed = (error: unknown) => void;

/** The listeners to all events, or to those of some types. An error of one reaches no other. */
export class Listeners {
  readonly #toAll = new Subject<SessionEvent>();
  readonly #byType: ReadonlyMap<SessionEventType, Subject<SessionEvent>>;
  readonly #failed: ListenerFailed;
  readonly all: Observable<SessionEvent>;

  constructor(types: readonly SessionEventType[], failed: ListenerFailed) {
    this.#byType = new Map(types.map((type) => [type, new Subject()]));
    this.#failed = failed;
    this.all = new Isolated(this.#toAll, failed);
  }

  /** The events of these types. */
  only(types: readonly SessionEventType[]): Observable<SessionEvent> {
    const subjects = [...new Set(types)].map((type) => this.#byType.get(type)!);
    return new Isolated(merge(...subjects), this.#failed);
  }

  want(type: SessionEventType): boolean {
    return this.#toAll.observed || this.#byType.get(type)!.observed;
  }

  tell(event: SessionEvent): void {
    this.#toAll.next(event);
    this.#byType.get(event.type)!.next(event);
  }

  complete(): void {
    this.#toAll.complete();
    for (const subject of this.#byType.values()) subject.complete();
  }
}

/** An Observable that isolates errors of its listeners and operators; RxJS would let them end the process. */
class Isolated<T> extends Observable<T> {
  constructor(
    source: Observable<unknown>,
    private readonly failed: ListenerFailed,
    operator?: Operator<never, T>,
  ) {
    super();
    // Sets what RxJS's `lift` sets.
    this.source = source;
    this.operator = operator;
  }

  override lift<R>(operator?: Operator<T, R>): Observable<R> {
    return new Isolated<R>(this, this.failed, operator);
  }

  override subscribe(
    given?: Partial<Observer<T>> | ((value: T) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ) {
    // A subscriber that an RxJS operator created.
    if (given instanceof Subscriber) return super.subscribe(given as Subscriber<T>);
    const listener = typeof given === 'function' ? { next: given } : given;
    const { failed } = this;
    let hasFailed = false;
    const fail = (thrown: unknown): void => {
      if (!hasFailed) failed(thrown);
      hasFailed = true;
    };
    const isolated = <V>(fn: (value: V) => void) => {
      return (value: V): void => {
        try {
          fn(value);
        } catch (thrown) {
          fail(thrown);
        }
      };
    };
    const observer: Observer<T> = {
      next: isolated((value: T) => listener?.next?.(value)),
      error: isolated((thrown: unknown) => {
        const told = listener?.error ? listener.error.bind(listener) : error;
        if (told) told(thrown);
        else fail(thrown);
      }),
      complete: isolated<void>(() => (listener?.complete ? listener.complete() : complete?.())),
    };
    return super.subscribe(observer);
  }
}
