import { ServiceUnavailableException } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { hashPassword, verifyPassword } from '../../apps/demo/src/users/password.js';

describe('the passwords of the demo', () => {
  it('are hashed and compared for 52 at a time, and whoever comes then is told to come again', async () => {
    const stored = await hashPassword('correct horse');
    const all = await Promise.allSettled(Array.from({ length: 60 }, () => verifyPassword('correct horse', stored)));
    const refused = all.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    expect(refused).toEqual(Array.from({ length: 8 }, () => expect.any(ServiceUnavailableException)));
    expect(all.filter((one) => one.status === 'fulfilled' && one.value)).toHaveLength(52);
    expect(await verifyPassword('battery staple', stored)).toBe(false);
  });
});
