// How single values look as text: as Seafowl's clients know them from its JSON.
//
// Dates and times are ISO 8601 with a T and 0, 3, 6 or 9 digits of fraction, as many as it takes;
// the years are of the proleptic Gregorian calendar.

import { DuckDBVector } from '@duckdb/node-api';

import type { ByteWriter } from './byte-writer.ts';
import type { RawVector } from './raw-vector.ts';

const DAY_S = 86_400;
const DASH = 0x2d;
const COLON = 0x3a;
const DOT = 0x2e;
const T = 0x54;
const Z = 0x5a;

/** DuckDB has infinite dates and timestamps, which no format here knows: they are NULL. */
export const DATE_INFINITY: number = 2 ** 31 - 1;
export const TIMESTAMP_INFINITY: bigint = 2n ** 63n - 1n;

export interface TimeUnit {
  /** How many make a second. */
  readonly perSecond: number;
  /** Digits that perSecond stands for. */
  readonly digits: number;
}

export const SECONDS: TimeUnit = { perSecond: 1, digits: 0 };
export const MILLISECONDS: TimeUnit = { perSecond: 1000, digits: 3 };
export const MICROSECONDS: TimeUnit = { perSecond: 1e6, digits: 6 };
export const NANOSECONDS: TimeUnit = { perSecond: 1e9, digits: 9 };

/**
 * Days since 1970 as YYYY-MM-DD. By Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms".
 */
export function writeDate(out: ByteWriter, days: number): void {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  const dayOfYear = dayOfEra - (365 * yearOfEra + leapDays);
  const march = Math.floor((5 * dayOfYear + 2) / 153);
  const month = march < 10 ? march + 3 : march - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  if (year < 0) out.byte(DASH);
  const size = Math.abs(year);
  if (size > 9999) out.integer(size);
  else out.digits(size, 4);
  out.byte(DASH);
  out.digits(month, 2);
  out.byte(DASH);
  out.digits(dayOfYear - Math.floor((153 * march + 2) / 5) + 1, 2);
}

/** Since midnight. */
export function writeTime(out: ByteWriter, time: number | bigint, unit: TimeUnit): void {
  const [seconds, fraction] = split(time, unit);
  writeClock(out, seconds, fraction, unit.digits);
}

/** Since 1970; `isUtc`: of a type that knows its zone, and says so by a Z. */
export function writeTimestamp(
  out: ByteWriter,
  time: number | bigint,
  unit: TimeUnit,
  isUtc: boolean,
): void {
  const [seconds, fraction] = split(time, unit);
  const days = Math.floor(seconds / DAY_S);
  writeDate(out, days);
  out.byte(T);
  writeClock(out, seconds - days * DAY_S, fraction, unit.digits);
  if (isUtc) out.byte(Z);
}

function split(time: number | bigint, { perSecond }: TimeUnit): readonly [number, number] {
  if (typeof time === 'number') {
    const seconds = Math.floor(time / perSecond);
    return [seconds, time - seconds * perSecond];
  }
  const per = BigInt(perSecond);
  const fraction = ((time % per) + per) % per;
  return [Number((time - fraction) / per), Number(fraction)];
}

function writeClock(out: ByteWriter, seconds: number, fraction: number, digits: number): void {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  out.digits(hours, 2);
  out.byte(COLON);
  out.digits(minutes, 2);
  out.byte(COLON);
  out.digits(seconds % 60, 2);
  if (fraction === 0) return;
  let [shown, count] = [fraction, digits];
  while (shown % 1000 === 0) [shown, count] = [shown / 1000, count - 3];
  out.byte(DOT);
  out.digits(shown, count);
}

/**
 * The shortest text that reads back as the same, with a fraction or an exponent: `42.0`, `1e21`.
 */
export function formatDouble(value: number): string {
  if (Number.isInteger(value)) {
    if (Math.abs(value) < 1e21) return Object.is(value, -0) ? '-0.0' : `${value}.0`;
  }
  return String(value).replace('e+', 'e');
}

/** The same for one of 32 bits: fewer digits do. */
export function formatFloat(value: number): string {
  // The sign of a zero gets lost on the way through toPrecision().
  if (value === 0) return formatDouble(value);
  for (let digits = 6; digits < 9; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return formatDouble(text);
  }
  return formatDouble(Number(value.toPrecision(9)));
}

/** An integer of units of 10^-scale. */
export function formatDecimal(unscaled: number | bigint, scale: number): string {
  const isNegative = unscaled < 0;
  const digits = String(isNegative ? -unscaled : unscaled).padStart(scale + 1, '0');
  const sign = isNegative ? '-' : '';
  if (scale === 0) return sign + digits;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** For types without a memory layout of ours: as DuckDB itself prints them. */
export function plainText({ vector, type, count }: RawVector): (row: number) => string {
  const values = DuckDBVector.create(vector, count, type);
  return (row) => String(values.getItem(row));
}
