import { HttpException, HttpStatus, Logger } from '@nestjs/common';
import { configured } from '../errors/known-options.js';
import { objectWith, type OptionType } from '../errors/option-types.js';
import { reasonOf } from '../errors/reason-of.js';
import { type ClientRequest, networkOf } from '../http/client-address.js';
import { inTime } from '../util/in-time.js';
import { Throttle } from '../util/throttle.js';
import { BUDGET_UNAVAILABLE, TOO_MANY_REFUSALS } from './messages.js';

/** A counter of refusals: a limiter of rate-limiter-flexible, in memory or in Redis, or another one like it. */
export interface RefusalLimiter {
  /** Takes a point. Rejects with the milliseconds until the next one, or with an Error if it cannot tell. */
  consume(key: string): Promise<unknown>;
  /** Gives a point back. */
  reward(key: string): Promise<unknown>;
}

/** Whose refusals to count; without a limiter they are not counted. */
export interface RefusalBudgetOptions {
  /** For each client address; for IPv6 for each network of 64 bits, in which anybody has as many addresses as they like. */
  readonly perAddress?: RefusalLimiter | undefined;
  /** Per account that somebody tries to get into. */
  readonly perAccount?: RefusalLimiter | undefined;
}

/** There were too many refusals. 429 Too Many Requests, with `Retry-After`. */
export class TooManyRefusalsError extends HttpException {
  /** @param retryAfter seconds until the next try */
  constructor(readonly retryAfter: number) {
    super(
      { statusCode: 429, message: TOO_MANY_REFUSALS, error: 'Too Many Requests', errorCode: 'ERR_SESSION_REFUSALS' },
      HttpStatus.TOO_MANY_REQUESTS,
      { errorCode: 'ERR_SESSION_REFUSALS' },
    );
  }
}

const LIMITER = objectWith('a limiter, such as new RateLimiterMemory({ points, duration })', 'consume', 'reward');

const OPTIONS = { perAddress: LIMITER, perAccount: LIMITER } satisfies Record<keyof RefusalBudgetOptions, OptionType>;

interface Point {
  readonly limiter: RefusalLimiter;
  readonly key: string;
}

/** How long the log is silent after saying that refusals cannot be counted. */
const TELL_EVERY_MS = 60_000;

/**
 * Limits the refusals of an address and of an account: of tokens by the guard, as `onRefused` of `forRoot`, and of
 * passwords by {@link RefusalBudget.attempt}. Only refusals count, so a valid token never gets a 429. If the limiter
 * fails, or takes over a second, nobody is refused for it.
 *
 * @example
 * ```ts
 * import { RateLimiterMemory } from 'rate-limiter-flexible';
 *
 * const budget = new RefusalBudget({
 *   perAddress: new RateLimiterMemory({ points: 30, duration: 60 }),
 *   perAccount: new RateLimiterMemory({ points: 10, duration: 600 }),
 * });
 * SessionsModule.forRoot({ onRefused: budget.onRefused });
 * ```
 */
export class RefusalBudget {
  readonly #logger = new Logger('RefusalBudget');
  readonly #telling = new Throttle(TELL_EVERY_MS);
  readonly #limiters: RefusalBudgetOptions;

  /** @throws SessionsConfigError for unknown options and invalid limiters */
  constructor(limiters: RefusalBudgetOptions) {
    this.#limiters = configured('RefusalBudget', limiters, OPTIONS);
  }

  /** Counts a refusal for the address. @throws TooManyRefusalsError if it has had too many */
  readonly onRefused = async (request: ClientRequest): Promise<void> => {
    await this.#take(this.#points(request));
  };

  /**
   * Runs a proof, such as the comparison of a password, and returns its result. `null` is a refusal, which counts for
   * the address and the account. The point is taken first, so that concurrent guesses count too, and given back unless
   * the proof refuses.
   *
   * @param account whose proof it is: the name as typed, whether or not such an account exists
   * @throws TooManyRefusalsError without running the proof if there were too many; also what the proof throws
   * @example
   * ```ts
   * function logIn(request: ClientRequest, email: string, password: string) {
   *   return budget.attempt(request, email, () => users.verify(email, password));
   * }
   * ```
   */
  async attempt<T>(request: ClientRequest, account: string, prove: () => Promise<T | null>): Promise<T | null> {
    const taken = await this.#take(this.#points(request, account));
    let isRefused = false;
    try {
      const proved = await prove();
      isRefused = proved === null;
      return proved;
    } finally {
      if (!isRefused) await this.#giveBack(taken);
    }
  }

  #points({ ip }: ClientRequest, account?: string): Point[] {
    const { perAddress, perAccount } = this.#limiters;
    return [
      ...(perAddress && ip !== undefined ? [{ limiter: perAddress, key: networkOf(ip) }] : []),
      ...(perAccount && account !== undefined ? [{ limiter: perAccount, key: account }] : []),
    ];
  }

  /** Takes all points or none. */
  async #take(points: readonly Point[]): Promise<readonly Point[]> {
    const taken: Point[] = [];
    for (const point of points) {
      const waitMs = await this.#consume(point);
      if (waitMs !== undefined) {
        await this.#giveBack(taken);
        throw new TooManyRefusalsError(Math.max(1, Math.ceil(waitMs / 1000)));
      }
      taken.push(point);
    }
    return taken;
  }

  /** The milliseconds until there is a point; `undefined` if one was taken, or the limiter cannot tell. */
  async #consume({ limiter, key }: Point): Promise<number | undefined> {
    const consumed = limiter.consume(key).then(
      () => undefined,
      (rejected: unknown) => {
        const waitMs = (rejected as { readonly msBeforeNext?: unknown } | null)?.msBeforeNext;
        if (typeof waitMs === 'number') return waitMs;
        this.#tell(rejected);
        return undefined;
      },
    );
    return inTime<number | undefined>(consumed, () => undefined);
  }

  async #giveBack(points: readonly Point[]): Promise<void> {
    const given = points.map(({ limiter, key }) => limiter.reward(key).catch((error: unknown) => this.#tell(error)));
    await inTime<unknown>(Promise.all(given), () => undefined);
  }

  #tell(error: unknown): void {
    if (this.#telling.passes()) this.#logger.warn(`${BUDGET_UNAVAILABLE}: ${reasonOf(error)}`);
  }
}
