import { DRIZZLE } from './drizzle.js';
import { ECTO } from './ecto.js';
import { KNOX } from './knox.js';
import type { MadeBy } from './made-by.js';
import { PRISMA } from './prisma.js';
import { SANCTUM } from './sanctum.js';

/** The tables that open, in the order of the page. */
export const OPENED: readonly MadeBy[] = [ECTO, PRISMA, DRIZZLE, SANCTUM, KNOX];
