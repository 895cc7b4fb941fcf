// Tables for people.

/** Columns as wide as their widest cell, to the right but for those named. */
export function formatRows(
  rows: readonly (readonly string[])[],
  leftColumns: readonly number[] = [0],
): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => {
    const cells = row.map((cell, column) =>
      leftColumns.includes(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
    );
    return cells.join('  ').trimEnd();
  });
  return `${lines.join('\n')}\n`;
}
