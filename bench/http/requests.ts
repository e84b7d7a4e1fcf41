/** The process of a client: `requests.js <address> <at once>` sends requests with tokens, and waits for their answers. */
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { answerParent } from '../child.js';

const [url, atOnce] = process.argv.slice(2) as [string, string];

answerParent(async (tokens: readonly string[]): Promise<void> => {
  // A server closes those that have been idle for some seconds.
  const agent = new Agent({ keepAlive: true });
  let sent = 0;
  const oneAfterTheOther = async (): Promise<void> => {
    while (sent < tokens.length) await request(tokens[sent++]!, agent);
  };
  await Promise.all(Array.from({ length: Number(atOnce) }, oneAfterTheOther));
  agent.destroy();
});

async function request(token: string, agent: Agent): Promise<void> {
  const headers = { authorization: `Bearer ${token}` };
  const [response] = (await once(get(url, { agent, headers }), 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  if (response.statusCode !== 200) throw new Error(`A valid token was refused: ${response.statusCode}.`);
}
