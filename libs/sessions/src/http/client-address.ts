import { isIPv6 } from 'node:net';

/** The part of a request that tells who sent it, the same on Express and Fastify. */
export interface ClientRequest {
  /** The client's address, according to the platform's "trust proxy" setting. */
  readonly ip?: string | undefined;
  /** The headers, by lower-case name. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** The network behind an address: on IPv6 the network of 64 bits, the smallest that anybody gets. @see RFC 6177 */
export function networkOf(ip: string): string {
  const address = clientAddress(ip);
  const [unscoped] = address.split('%');
  if (!isIPv6(unscoped!)) return address;
  const [head = '', tail] = new URL(`http://[${unscoped}]`).hostname.slice(1, -1).split('::');
  const parts = (text = ''): string[] => (text === '' ? [] : text.split(':'));
  const [before, after] = [parts(head), parts(tail)];
  const groups = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => '0'), ...after];
  return `${groups.slice(0, 4).join(':')}::/64`;
}

/** An IPv4 address mapped into IPv6. A URL writes its 32 bits as two numbers. */
const MAPPED = /^\[::ffff:([\da-f]{1,4}):([\da-f]{1,4})\]$/;

/**
 * The address without the IPv4-to-IPv6 mapping, which dual-stack sockets report: `::ffff:192.0.2.1` is `192.0.2.1`.
 *
 * @see RFC 4291, 2.5.5.2
 */
export function clientAddress(ip: string): string {
  if (!/ffff/i.test(ip) || !isIPv6(ip) || ip.includes('%')) return ip;
  const [, high, low] = MAPPED.exec(new URL(`http://[${ip}]`).hostname) ?? [];
  if (high === undefined || low === undefined) return ip;
  return [high, low].flatMap((part) => [Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 255]).join('.');
}
