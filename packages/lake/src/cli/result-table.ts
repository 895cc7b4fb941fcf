// JSON lines as a table for people: names, a line, rows; numbers at the right. What is wider than
// the terminal is cut.

/** As many rows as somebody may want to scroll through. */
const ROWS_MAX = 1000;
const CELL_WIDTH_MAX = 60;
const GAP = '  ';

interface Cell {
  readonly text: string;
  readonly isNumber: boolean;
}

/** Not wider than `terminalWidth`, if there is one. */
export function formatResult(jsonLines: string, terminalWidth: number | undefined): string {
  const lines = jsonLines.split('\n').filter((line) => line !== '');
  const rows = lines.slice(0, ROWS_MAX).map(parseRow);
  const [first] = rows;
  if (first === undefined) return '(no rows)\n';
  const names = [...first.keys()];
  const widths = names.map((name) =>
    Math.min(
      CELL_WIDTH_MAX,
      Math.max(name.length, ...rows.map((row) => row.get(name)?.text.length ?? 0)),
    ),
  );
  const format = (cells: readonly Cell[]): string =>
    cells
      .map(({ text, isNumber }, index) => {
        const width = widths[index]!;
        const cut = text.length > width ? `${text.slice(0, width - 1)}…` : text;
        return isNumber ? cut.padStart(width) : cut.padEnd(width);
      })
      .join(GAP)
      .trimEnd()
      .slice(0, terminalWidth);
  const head = names.map((text): Cell => ({ text, isNumber: first.get(text)!.isNumber }));
  const rule = widths.map((width): Cell => ({ text: '─'.repeat(width), isNumber: false }));
  const body = rows.map((row) => format(names.map((name) => row.get(name) ?? EMPTY)));
  const count = `(${lines.length} ${lines.length === 1 ? 'row' : 'rows'}${
    lines.length > ROWS_MAX ? `, the first ${ROWS_MAX} are shown` : ''
  })`;
  return `${[format(head), format(rule), ...body, count].join('\n')}\n`;
}

const EMPTY: Cell = { text: '', isNumber: false };

/** Numbers as they are written: some are larger than JavaScript's. */
function parseRow(line: string): Map<string, Cell> {
  const cells = new Map<string, Cell>();
  const numbers = new Map<string, string>();
  // The source of a number is known only while it is parsed; nested ones stay within their value.
  const row = JSON.parse(line, (key, value: unknown, context?: { source?: string }) => {
    if (typeof value === 'number') numbers.set(key, context?.source ?? String(value));
    return value;
  }) as Record<string, unknown>;
  for (const [name, value] of Object.entries(row)) {
    if (typeof value === 'number') {
      cells.set(name, { text: numbers.get(name) ?? String(value), isNumber: true });
    } else {
      cells.set(name, { text: textOf(value), isNumber: false });
    }
  }
  return cells;
}

function textOf(value: unknown): string {
  if (value === null) return 'NULL';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  // One line a row; and no control character moves the cursor of a terminal.
  return text.replaceAll(/\p{Cc}/gu, ' ');
}
