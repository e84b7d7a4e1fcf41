/** All runs of the properties that ask a database take minutes, so others have a third of them: `npm run test:properties`. */
const ALL = process.env['PROPERTIES'] === 'all';

/** How many runs a property of so many has, each of which asks a database. */
export function runs(all: number): number {
  return ALL ? all : Math.ceil(all / 3);
}
