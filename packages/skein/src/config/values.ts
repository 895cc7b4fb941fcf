// How single values are read: the same for a key in a file and for a flag. Each function throws
// RangeError with what is wrong.

import { parseDuration, parseSize } from '@skein/host';

const TRUE = new Set(['true', 'yes', 'on']);
const FALSE = new Set(['false', 'no', 'off']);

export function parseBoolean(text: string): boolean {
  const word = text.toLowerCase();
  if (TRUE.has(word)) return true;
  if (FALSE.has(word)) return false;
  throw new RangeError(`${JSON.stringify(text)} is neither true nor false`);
}

export function parseText(text: string): string {
  if (text === '') throw new RangeError('it is empty');
  return text;
}

/** Visible ASCII characters without blanks. */
export function isSingleWord(text: string): boolean {
  return /^[\x21-\x7E]{1,255}$/.test(text);
}

export function choice<T extends string>(...words: readonly T[]): (text: string) => T {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    throw new RangeError(`${JSON.stringify(text)} is none of ${words.join(', ')}`);
  };
}

export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d{1,15}$/.test(text) && value >= min && value <= max) return value;
    throw new RangeError(`${JSON.stringify(text)} is no whole number from ${min} to ${max}`);
  };
}

/** A size that is at least `minText`, at most `maxText`. */
export function sizeBetween(minText: string, maxText: string): (text: string) => number {
  const [min, max] = [parseSize(minText), parseSize(maxText)];
  return (text) => {
    const bytes = parseSize(text);
    if (bytes >= min && bytes <= max) return bytes;
    throw new RangeError(`${JSON.stringify(text)} is not between ${minText} and ${maxText}`);
  };
}

/** A duration of at most `maxText`. */
export function durationUpTo(maxText: string): (text: string) => number {
  const max = parseDuration(maxText);
  return (text) => {
    const ms = parseDuration(text);
    if (ms <= max) return ms;
    throw new RangeError(`${JSON.stringify(text)} is more than ${maxText}`);
  };
}

export interface Address {
  /** Empty: all interfaces. */
  readonly host: string;
  readonly port: number;
}

/** `host:port`, `[::1]:port`, `:port` for all interfaces, `port` for this machine alone. */
export function parseAddress(text: string): Address {
  const match = /^(?:(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_.-]*)):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new RangeError(
      `${JSON.stringify(text)} is no address; write it like 127.0.0.1:20202 or :20202`,
    );
  }
  const hasHost = text.includes(':');
  return { host: hasHost ? (match[1] ?? match[2] ?? '') : '127.0.0.1', port };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

const SECRET_LENGTH_MIN = 16;

/** What can stand in an HTTP header, and is not guessed. */
export function parseSecret(text: string): string {
  if (text.length < SECRET_LENGTH_MIN) {
    throw new RangeError(`it has fewer than ${SECRET_LENGTH_MIN} characters`);
  }
  if (!/^[\x21-\x7E]+$/.test(text)) {
    throw new RangeError('it has characters other than ASCII letters, digits and signs');
  }
  return text;
}
