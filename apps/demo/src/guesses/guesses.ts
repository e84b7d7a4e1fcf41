import { Injectable } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { RefusalBudget } from '@app/sessions';

const MINUTE_S = 60;

/** In an hour an address gets at most seven of its ten-minute budgets, so that no single address locks an owner out. */
const ADDRESSES_OF_AN_ACCOUNT = 8;

/** The budgets for wrong guesses. @see OWASP ASVS 5.0, 6.1.1 and 6.3.1 */
@Injectable()
export class Guesses {
  /** For passwords. A sign-up takes a point too, so that nobody makes the demo write to many addresses. */
  readonly passwords: RefusalBudget;
  /** For tokens. */
  readonly tokens: RefusalBudget;

  constructor(config: ConfigService) {
    const passwords = numberOf(config, 'DEMO_PASSWORD_GUESSES', 15);
    const tokens = numberOf(config, 'DEMO_TOKEN_GUESSES', 60);
    this.passwords = new RefusalBudget({
      perAddress: new RateLimiterMemory({ points: passwords, duration: 10 * MINUTE_S }),
      perAccount: new RateLimiterMemory({ points: ADDRESSES_OF_AN_ACCOUNT * passwords, duration: 60 * MINUTE_S }),
    });
    this.tokens = new RefusalBudget({ perAddress: new RateLimiterMemory({ points: tokens, duration: MINUTE_S }) });
  }
}

/** A setting. @throws RangeError if it is not a positive integer */
function numberOf(config: ConfigService, name: string, fallback: number): number {
  const given = config.get<unknown>(name, fallback);
  const value = Number(given);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new RangeError(`${name} must be a whole number above 0, not ${JSON.stringify(given)}.`);
}
