// Rows of text in columns that line up.

export interface Column {
  readonly title: string;
  /** Numbers stand at the right. Default: left. */
  readonly isNumber?: boolean;
}

const GAP = '  ';

/** One line a row below the titles, without blanks at the ends. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  const titles = columns.map(({ title }) => title);
  const widths = titles.map((title, index) =>
    Math.max(title.length, ...rows.map((row) => row[index]!.length)),
  );
  const lines = [titles, ...rows].map((row) => {
    const cells = row.map((cell, index) => {
      const width = widths[index]!;
      return columns[index]!.isNumber === true ? cell.padStart(width) : cell.padEnd(width);
    });
    return `${cells.join(GAP).trimEnd()}\n`;
  });
  return lines.join('');
}

/** Lines of a name and a value, the values below each other. */
export function formatPairs(pairs: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}${GAP}${value}\n`).join('');
}
