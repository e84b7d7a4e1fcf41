import { inTable } from '../errors/messages.js';

// What actingAs() is asked for, and the table has not.
export const takesNoTokenFrom = (table: string, place: string): string =>
  inTable(table, `its credentials name no ${place}, by which a test was to act`);
