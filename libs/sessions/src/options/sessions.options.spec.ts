import { describe, expect, it } from 'vitest';
import { mergeOptions } from './sessions.options.js';

describe('mergeOptions', () => {
  it('lets the last layer win that gives a value, null included, undefined not', () => {
    const merged = mergeOptions(
      { sessionTtl: '7d', tokenPrefix: 'a', secretSalt: 'salt' },
      { sessionTtl: null, tokenPrefix: undefined as never },
      undefined,
      { tokenPrefix: 'b' },
    );
    expect(merged).toEqual({ sessionTtl: null, tokenPrefix: 'b', secretSalt: 'salt' });
  });

  it('puts together what the layers say of the cookie', () => {
    const merged = mergeOptions(
      { cookie: { secure: false, sameSite: 'strict' } },
      { cookie: { name: 'id' } },
      { cookie: undefined as never },
      { cookie: { sameSite: 'lax' } },
    );
    expect(merged).toEqual({ cookie: { secure: false, name: 'id', sameSite: 'lax' } });
  });
});
