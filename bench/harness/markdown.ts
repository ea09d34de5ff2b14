import type { Table } from './section.ts';

/** A table as Markdown that is readable as it is: columns in line, figures at the right. */
export function toMarkdown({ title, columns, rows, notes = [] }: Table): string {
  const all = [columns, ...rows].map((cells) => cells.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = columns.map((_, at) => Math.max(3, ...all.map((cells) => cells[at]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, at) => padded(cells[at] ?? '', width, at)).join(' | ')} |`;
  const rule = widths.map((width, at) => (at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  const lines = [`### ${title}`, '', line(all[0] ?? []), line(rule), ...all.slice(1).map(line)];
  return [...lines, ...(notes.length > 0 ? ['', ...notes] : []), ''].join('\n');
}

function padded(text: string, width: number, at: number): string {
  return at === 0 ? text.padEnd(width) : text.padStart(width);
}
