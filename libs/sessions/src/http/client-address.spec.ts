import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientAddress, networkOf } from './client-address.js';

describe('the address of a client', () => {
  it('that is IPv4 in IPv6 is the IPv4 one, however it is written', () => {
    fc.assert(
      fc.property(fc.ipV4(), (ip) => {
        const hex = ip.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
        const [high, low] = [hex.slice(0, 2).join(''), hex.slice(2).join('')];
        for (const mapped of [`::ffff:${ip}`, `::FFFF:${ip}`, `0:0:0:0:0:ffff:${high}:${low}`, `::ffff:${high}:${low}`])
          expect(clientAddress(mapped)).toBe(ip);
      }),
    );
  });

  it('that is any other one, or none, is as it was', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), (ip) => {
        fc.pre(!/^[0:]*:ffff:/i.test(ip));
        expect(clientAddress(ip)).toBe(ip);
      }),
    );
    for (const ip of [
      '2001:db8::ffff:1',
      '::ffff:0:192.0.2.1',
      'fe80::ffff:1%eth0',
      'ffff::1',
      '::ffff:999.0.0.1',
      'ffff',
    ])
      expect(clientAddress(ip)).toBe(ip);
  });
});

it.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['no address', 'no address'],
])('the network of %s is %s', (ip, network) => {
  expect(networkOf(ip)).toBe(network);
});
