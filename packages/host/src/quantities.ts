// Durations and sizes as people write them.

const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
};

const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

const NUMBER = String.raw`\d+(?:\.\d+)?`;
const DURATION_PART = new RegExp(`(${NUMBER})(ms|[dhms])`, 'g');
const DURATION = new RegExp(`^(?:${NUMBER}(?:ms|[dhms]))+$`);
const SIZE = new RegExp(`^(${NUMBER}) ?([kMGTKi]*B)?$`);

/** "10m", "1h30m", "90s", "0"; the units of Go, and days. In milliseconds. Throws RangeError. */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  if (!DURATION.test(text)) {
    throw new RangeError(`${quote(text)} is no duration; write it like 90s, 10m or 1h30m`);
  }
  const parts = [...text.matchAll(DURATION_PART)];
  const ms = parts.reduce((sum, part) => sum + Number(part[1]) * DURATION_UNITS_MS[part[2]!]!, 0);
  return toWhole(ms, text);
}

/** "64MiB", "1.5GB", "4096". In bytes. Throws RangeError. */
export function parseSize(text: string): number {
  const match = SIZE.exec(text);
  const unit = SIZE_UNITS[match?.[2] ?? 'B'];
  if (match === null || unit === undefined) {
    throw new RangeError(`${quote(text)} is no size; write it like 64MiB, 1GB or 4096`);
  }
  return toWhole(Number(match[1]) * unit, text);
}

/** The shortest text that parseDuration() reads as the same: "1h30m". */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0';
  let rest = ms;
  let text = '';
  for (const [name, unitMs] of Object.entries(DURATION_UNITS_MS)) {
    const count = Math.floor(rest / unitMs);
    rest -= count * unitMs;
    if (count > 0) text += `${count}${name}`;
  }
  return text;
}

/** For people: three digits and a binary unit, "1.46 GiB". */
export function formatSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let index = 0;
  // What would be rounded up to 1024 is one of the next unit.
  while (value >= 1023.5 && index < units.length - 1) {
    value /= 1024;
    index += 1;
  }
  const digits = index === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[index]}`;
}

/** "1 page", "3 pages". */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function toWhole(value: number, text: string): number {
  const whole = Math.round(value);
  if (!Number.isSafeInteger(whole)) throw new RangeError(`${quote(text)} is too large`);
  return whole;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
