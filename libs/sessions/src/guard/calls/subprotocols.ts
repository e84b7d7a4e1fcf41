/** How a page gives its token to a WebSocket, for which browsers let it set no header: `['chat', 'bearer.<token>']`. */
const BEARER = 'bearer.';

/** Whether a subprotocol holds a token: the server then must not answer it, for answers are logged. */
export function holdsToken(protocol: string): boolean {
  return protocol.startsWith(BEARER);
}

/** The tokens among the subprotocols that a handshake offers, as a header of `Authorization`. */
export function offeredTokens(offered: string | readonly string[] | undefined): object | undefined {
  const protocols = [offered ?? []].flat().flatMap((list) => list.split(',').map((protocol) => protocol.trim()));
  const tokens = protocols.filter(holdsToken);
  if (tokens.length === 0) return undefined;
  return { authorization: tokens.map((protocol) => `Bearer ${protocol.slice(BEARER.length)}`) };
}
