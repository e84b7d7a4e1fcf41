import { inTable } from '../errors/messages.js';

// For a place that actingAs() needs and the table lacks.
export const takesNoTokenFrom = (table: string, place: string): string =>
  inTable(table, `its credentials name no ${place}, which actingAs() was given`);
