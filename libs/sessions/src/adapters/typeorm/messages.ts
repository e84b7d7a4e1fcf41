import { shown } from '../../errors/messages.js';

// Why a column cannot hold times.
export const formNeeded = (type: string): string =>
  `its type is ${type}, so say what its numbers are: form: 'seconds' or 'milliseconds'`;

export const noTimes = (type: string, types: readonly string[]): string =>
  `its type ${type} holds no times: make it ${types.join(' or ')}, or bigint with form: 'milliseconds'`;

export const noNumbers = (form: string, type: string): string =>
  `form: ${shown(form)} is for a column of whole numbers, and its type is ${type}`;

export const noMilliseconds = (type: string): string =>
  `its type ${type} has no room for milliseconds since 1970: make it bigint`;

export const textOfTimes = (form: string): string => `form: ${shown(form)} is text, in which only SQLite holds times`;

export const unknownTimes = (column: string): string =>
  `its rows hold times in several forms, or in none that the library compares. Where all of them are text, UPDATE … SET ${column} = strftime('%Y-%m-%d %H:%M:%f', ${column}) makes them one`;
