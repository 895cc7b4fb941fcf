// Values and figures as people read them.

const NULL_TEXT = '∅';
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];
const UNIT = 1000;

/** A value of a result in a cell. */
export function formatCell(value: unknown): string {
  if (value === null || value === undefined) return NULL_TEXT;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= UNIT && unit < UNITS.length - 1) {
    value /= UNIT;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

export function formatMs(ms: number): string {
  return ms < UNIT ? `${Math.round(ms)} ms` : `${(ms / UNIT).toFixed(2)} s`;
}

export function formatCount(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
}

/** A name in SQL; plain ones need no quotes. */
export function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
