// How single settings are read from their text, as zod's types: each says what is wrong with it.

import { parseDuration, parseSize } from '@skein/host';
import { z } from 'zod';

import type { AccessRule } from '../http/access.ts';
import type { Address } from '../http/listening.ts';

type Read<T> = z.ZodType<T, string>;

const ONE_VALUE = { error: 'expected one value here' };

const ADDRESS = /^(?:(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_.-]*)):)?(\d{1,5})$/;
const SHA256 = /^[0-9A-Fa-f]{64}$/;

/** `isSecret`: what was written may be a password, and is not repeated. */
function reader<T>(
  read: (text: string) => T | undefined,
  expected: string,
  isSecret = false,
): Read<T> {
  return z.string(ONE_VALUE).transform((text, context) => {
    const value = read(text);
    if (value !== undefined) return value;
    const shown = isSecret ? 'it' : JSON.stringify(text);
    context.addIssue({ code: 'custom', message: `${shown} is no ${expected}` });
    return z.NEVER;
  });
}

export const text: Read<string> = reader((value) => (value === '' ? undefined : value), 'text');

export const yesOrNo: Read<boolean> = reader((value) => {
  if (/^(?:true|yes|on)$/i.test(value)) return true;
  return /^(?:false|no|off)$/i.test(value) ? false : undefined;
}, 'true or false');

/** What is wrong stands in the RangeError that `parse` throws. */
function parsed<T>(parse: (text: string) => T): Read<T> {
  return z.string(ONE_VALUE).transform((text, context) => {
    try {
      return parse(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as RangeError).message });
      return z.NEVER;
    }
  });
}

/** `90s`, `10m`, `0`; in milliseconds. */
export const duration: Read<number> = parsed(parseDuration);

/** `64MiB`, `1GB`, `4096`; in bytes. */
export const size: Read<number> = parsed(parseSize);

export function whole(min: number, max: number): Read<number> {
  return reader((value) => {
    const number = Number(value);
    return /^\d{1,15}$/.test(value) && number >= min && number <= max ? number : undefined;
  }, `whole number from ${min} to ${max}`);
}

export function oneOf<T extends string>(...words: readonly T[]): Read<T> {
  return reader((value) => words.find((word) => word === value), `word of ${words.join(', ')}`);
}

/** `host:port`, `[::1]:port`, `:port` for all interfaces, `port` for this machine alone. */
export const address: Read<Address> = reader((value) => {
  const match = ADDRESS.exec(value);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) return undefined;
  return { host: value.includes(':') ? (match[1] ?? match[2] ?? '') : '127.0.0.1', port };
}, 'address: write it like 127.0.0.1:8080 or :8080');

/** `any`, `off`, or the SHA-256 of a password. */
export const access: Read<AccessRule> = reader(
  (value) => {
    if (value === 'any' || value === 'off') return value;
    return SHA256.test(value) ? { sha256: value.toLowerCase() } : undefined;
  },
  'right: any, off, or the SHA-256 of a password in hexadecimal',
  true,
);
