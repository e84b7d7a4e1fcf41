import { ratios, spreadOf } from './statistics.js';
import { spreadText, type Table } from './table.js';

/** A turn of what is compared: what it takes, in microseconds. */
export type ShortTurn = () => Promise<number>;

/** What the turns of each have taken. */
export type Figures = Readonly<Record<string, readonly number[]>>;

/** The figures of each: that of turns which nothing else on the machine has held up, and that of all. */
const FIGURES: Readonly<Record<string, number>> = { '10th percentile': 0.1, median: 0.5 };

/** Has some take turns so short that some of each are held up by nothing, in an order of chance. */
export async function shortTurns(
  { rounds, warmUps }: { readonly rounds: number; readonly warmUps: number },
  entrants: Readonly<Record<string, ShortTurn>>,
): Promise<Figures> {
  const turns = Object.entries(entrants).map(([name, turn]) => ({ name, turn, figures: [] as number[] }));
  for (let round = -warmUps; round < rounds; round++)
    for (const { turn, figures } of shuffled(turns)) {
      const figure = await turn();
      if (round >= 0) figures.push(figure);
    }
  return Object.fromEntries(turns.map(({ name, figures }) => [name, figures]));
}

/** Some parts of the rounds of one run: what differs between them is the error of measurement. */
export function partsOf(figures: Figures, count = 4): Figures[] {
  const entries = Object.entries(figures);
  return Array.from({ length: count }, (_, part) =>
    Object.fromEntries(entries.map(([name, all]) => [name, all.filter((_, round) => round % count === part)])),
  );
}

/** The figures of the first, and the ratios of the others to it: the median of all parts, the lowest and the highest. */
export function shortTurnsTable(title: string, parts: readonly Figures[]): Table {
  const [first, ...others] = Object.keys(parts[0]!) as [string, ...string[]];
  const quantiles = Object.values(FIGURES);
  const figuresOf = (name: string, at: number): number[] => parts.map((part) => quantile(part[name]!, at));
  return {
    head: [title, ...Object.keys(FIGURES)],
    rows: [
      [first, ...quantiles.map((at) => `${spreadOf(figuresOf(first, at)).median.toFixed(1)} µs`)],
      ...others.map((name) => [
        name,
        ...quantiles.map((at) => spreadText(ratios(figuresOf(name, at), figuresOf(first, at)), 3)),
      ]),
    ],
  };
}

function quantile(values: readonly number[], at: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * at)]!;
}

/** Nobody always comes after the same one. */
function shuffled<T>(values: readonly T[]): T[] {
  const rest = [...values];
  return values.map(() => rest.splice(Math.floor(Math.random() * rest.length), 1)[0]!);
}
