import { spreadOf } from './statistics.js';

/** Parts of the rounds, whose ratios show the error of measurement. */
const PARTS = 4;

/** A turn of what is compared: what it takes, in microseconds. */
export type ShortTurn = () => Promise<number>;

/**
 * Has some take turns so short that some of each are held up by nothing else on the machine, which are the figure: what a tenth of
 * them do not exceed. Prints that of the first one, and the ratios of the others to it, with the lowest and the highest of four
 * parts of the rounds.
 */
export async function shortTurns(
  title: string,
  { rounds, warmUps }: { readonly rounds: number; readonly warmUps: number },
  entrants: Readonly<Record<string, ShortTurn>>,
): Promise<void> {
  const turns = Object.entries(entrants).map(([name, turn]) => ({ name, turn, figures: [] as number[] }));
  for (let round = -warmUps; round < rounds; round++)
    for (const { turn, figures } of shuffled(turns)) {
      const figure = await turn();
      if (round >= 0) figures.push(figure);
    }
  const [first, ...others] = turns as [(typeof turns)[number], ...typeof turns];
  console.log(`${title}: ${lowest(first.figures).toFixed(1)} µs`);
  for (const { name, figures } of others) {
    const ratio = (isIn: (round: number) => boolean): number =>
      lowest(figures.filter((_, round) => isIn(round))) / lowest(first.figures.filter((_, round) => isIn(round)));
    const { min, max } = spreadOf(Array.from({ length: PARTS }, (_, part) => ratio((round) => round % PARTS === part)));
    console.log(`  ${name.padEnd(26)}${ratio(() => true).toFixed(3)} [${min.toFixed(3)} to ${max.toFixed(3)}]`);
  }
}

function lowest(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 10)]!;
}

/** In an order of chance: nobody always comes after the same one. */
function shuffled<T>(values: readonly T[]): T[] {
  const rest = [...values];
  return values.map(() => rest.splice(Math.floor(Math.random() * rest.length), 1)[0]!);
}
