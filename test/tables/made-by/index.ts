import { AUTH_JS } from './auth-js.js';
import { BETTER_AUTH } from './better-auth.js';
import { CONNECT_PG_SIMPLE } from './connect-pg-simple.js';
import { AUTHTOKEN, DJANGO } from './django.js';
import { DRIZZLE } from './drizzle.js';
import { ECTO } from './ecto.js';
import { KNOX } from './knox.js';
import { LARAVEL } from './laravel.js';
import { LUCIA } from './lucia.js';
import type { MadeBy } from './made-by.js';
import type { NotOpened } from './not-opened.js';
import { PHOENIX } from './phoenix.js';
import { PRISMA } from './prisma.js';
import { RAILS, SESSION_STORE } from './rails.js';
import { SANCTUM } from './sanctum.js';

/** The tables that open, in the order of the page. */
export const OPENED: readonly MadeBy[] = [ECTO, PRISMA, DRIZZLE, SANCTUM, KNOX];

/** Those that do not. */
export const NOT_OPENED: readonly NotOpened[] = [
  AUTH_JS,
  BETTER_AUTH,
  LUCIA,
  CONNECT_PG_SIMPLE,
  AUTHTOKEN,
  PHOENIX,
  LARAVEL,
  SESSION_STORE,
  RAILS,
  DJANGO,
];
