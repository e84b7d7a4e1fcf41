/**
 * The prefix of a token among a WebSocket's subprotocols, `['chat', 'bearer.<token>']`: browsers let pages set no
 * header.
 */
const BEARER = 'bearer.';

/** Whether a subprotocol holds a token. The server must not echo it, because answers are logged. */
export function holdsToken(protocol: string): boolean {
  return protocol.startsWith(BEARER);
}

/** The tokens among the subprotocols that a handshake offers, as an `Authorization` header. */
export function offeredTokens(offered: string | readonly string[] | undefined): object | undefined {
  const protocols = [offered ?? []].flat().flatMap((list) => list.split(',').map((protocol) => protocol.trim()));
  const tokens = protocols.filter(holdsToken);
  if (tokens.length === 0) return undefined;
  return { authorization: tokens.map((protocol) => `Bearer ${protocol.slice(BEARER.length)}`) };
}
