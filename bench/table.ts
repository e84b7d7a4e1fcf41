import { cpuOf, type Group, msOf, perSecondOf, ratioOf, speedAgainst } from './results.js';
import type { Spread } from './statistics.js';

/** Head and rows of a table. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The figures of a group, a row for each contender. */
export function tableOf(group: Group): Table {
  const { results, counts, measures } = group;
  if (measures !== undefined) return timesOf(group, measures);
  const [baseline] = results;
  const own = group.ratioOf === 'speed' ? results.find((result) => result.own) : undefined;
  return {
    head: [
      group.ratioOf === 'speed' ? `relative to ${baseline.name}` : `time of a lookup, relative to ${baseline.name}`,
      'median [min to max]',
      `${counts} per second`,
      'CPU, µs',
      ...(own ? [`${own.name} relative to it`] : []),
    ],
    rows: results.map((result) => [
      result.name,
      spreadText(ratioOf(group, result)),
      Math.round(perSecondOf(result)).toLocaleString('en'),
      cpuOf(result).toFixed(1),
      ...(own ? [spreadText(speedAgainst(own, result))] : []),
    ]),
  };
}

/** The figures of a group of which only times count. */
function timesOf(group: Group, measures: string): Table {
  const { results } = group;
  return {
    head: [`${measures}, relative to ${results[0].name}`, 'median [min to max]', 'ms [min to max]'],
    rows: results.map((result) => [result.name, spreadText(ratioOf(group, result)), spreadText(msOf(result))]),
  };
}

export function spreadText({ median, min, max }: Spread, digits = 2): string {
  return `${median.toFixed(digits)} [${min.toFixed(digits)} to ${max.toFixed(digits)}]`;
}

/** A table for a console: the first column to the left, the others to the right. */
export function textTable({ head, rows }: Table): string {
  const lines = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  const textOf = (line: readonly string[]): string =>
    line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ');
  return [textOf(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(textOf)].join('\n');
}

/** A table for a document. */
export function markdownTable({ head, rows }: Table): string {
  const lineOf = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [lineOf(head), lineOf(head.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(lineOf)].join('\n');
}
