import { isIPv6 } from 'node:net';

/** The part of a request that tells who sends it; those of Express and Fastify have it. */
export interface ClientRequest {
  /** The address of the client, as the platform's "trust proxy" setting has it. */
  readonly ip?: string | undefined;
  /** The headers, by their names in small letters. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/**
 * Who is behind an address, as far as it tells: of IPv6 the network of 64 bits, which is the least that anybody gets.
 *
 * @see RFC 6177
 */
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

/** An IPv4 address in IPv6, of which a URL writes the last 32 bits as two numbers. */
const MAPPED = /^\[::ffff:([\da-f]{1,4}):([\da-f]{1,4})\]$/;

/**
 * An address without the mapping of IPv4 into IPv6, which sockets that listen on both give: `::ffff:192.0.2.1` is `192.0.2.1`.
 *
 * @see RFC 4291, 2.5.5.2
 */
export function clientAddress(ip: string): string {
  if (!/ffff/i.test(ip) || !isIPv6(ip) || ip.includes('%')) return ip;
  const [, high, low] = MAPPED.exec(new URL(`http://[${ip}]`).hostname) ?? [];
  if (high === undefined || low === undefined) return ip;
  return [high, low].flatMap((part) => [Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 255]).join('.');
}
