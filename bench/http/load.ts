/** The process that sends requests. */
import { type LoadResult, peer } from '../peers.js';
import { answerParent } from '../child.js';

/** Requests to be sent over and over, for so long. */
export interface Load {
  readonly url: string;
  readonly header: string;
  /** The values of the header, dealt out to the connections. */
  readonly values: readonly string[];
  readonly seconds: number;
}

/** What came back. */
export interface Loaded {
  readonly requests: number;
  readonly perSecond: number;
}

const CONNECTIONS = 32;
/** How exactly the end of a run is kept. */
const SAMPLE_MS = 50;

answerParent(async ({ url, header, values, seconds }: Load): Promise<Loaded> => {
  const { default: autocannon } = await peer('autocannon');
  let clients = 0;
  let begin = 0;
  const result = await new Promise<LoadResult>((resolve, reject) => {
    const run = autocannon(
      {
        url,
        connections: CONNECTIONS,
        duration: seconds,
        sampleInt: SAMPLE_MS,
        setupClient(client) {
          const own = clients++;
          const dealt = values.filter((_, i) => i % CONNECTIONS === own % CONNECTIONS);
          client.setRequests(dealt.map((value) => ({ headers: { [header]: value } })));
        },
      },
      (error, done) => (error ? reject(error) : resolve(done)),
    );
    // Its own duration includes the time in which the requests are written.
    run.once('start', () => (begin = performance.now()));
  });
  const { errors, timeouts, non2xx, requests } = result;
  if (errors + timeouts + non2xx > 0)
    throw new Error(`${errors} errors, ${timeouts} timeouts and ${non2xx} refusals of valid tokens at ${url}.`);
  return { requests: requests.total, perSecond: (requests.total / (performance.now() - begin)) * 1000 };
});
