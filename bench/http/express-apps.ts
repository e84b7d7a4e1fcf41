import type { AddressInfo } from 'node:net';
import { betterAuth } from '../contenders/better-auth.js';
import { pgStore } from '../contenders/connect-pg-simple.js';
import { pgNamed, pgPool } from '../contenders/pg.js';
import { COOKIE_SECRET } from '../contenders/signed-cookie.js';
import type { Database } from '../databases.js';
import { type ExpressHandler, type ExpressRequest, type ExpressResponse, peer } from '../peers.js';
import { bearerToken } from './bearer.js';

const WEEK_MS = 7 * 86_400_000;

/** Express alone, with one named statement. */
export async function expressPgApp(database: Database): Promise<number> {
  const contender = pgNamed(database);
  return listen((request) =>
    contender.validate(bearerToken(request.headers.authorization)).then((found) => found?.userId ?? null),
  );
}

/** Express alone, with better-auth, as its documentation has it. */
export async function betterAuthApp(database: Database): Promise<number> {
  const contender = await betterAuth(database);
  const { fromNodeHeaders } = await peer('better-auth/node');
  return listen((request) => contender.userOf(fromNodeHeaders(request.headers)));
}

/** Express alone, with express-session and connect-pg-simple, which writes the end of a session anew unless it is told not to. */
export async function expressSessionApp(database: Database, options: { disableTouch: boolean }): Promise<number> {
  const { default: session } = await peer('express-session');
  const middleware = session({
    store: await pgStore(pgPool(database), options),
    secret: COOKIE_SECRET,
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: WEEK_MS },
  });
  return listen(async (request) => request.session?.userId ?? null, [middleware]);
}

async function listen(
  userOf: (request: ExpressRequest) => Promise<string | null>,
  middlewares: readonly ExpressHandler[] = [],
): Promise<number> {
  const { default: express } = await peer('express');
  const app = express();
  for (const middleware of middlewares) app.use(middleware);
  const answer = async (request: ExpressRequest, response: ExpressResponse): Promise<void> => {
    const userId = await userOf(request);
    if (userId === null) response.status(401).json({ message: 'Unauthorized' });
    else response.json({ userId });
  };
  // Express 5 sees to what is rejected.
  app.get('/', (request, response) => answer(request, response));
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
