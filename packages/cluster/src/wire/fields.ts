// Fields that frames have in common: names, times, epochs, positions. Integers are big-endian.

import { readU32be, readU64be } from '@skein/bytes';
import { CHECKSUM_FLAG, type Checksum, type Position, type Txid } from '@skein/ltx';

import { ReplicationError } from '../errors.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A position: TXID and checksum. */
export const POSITION_BYTES = 16;

/** Control characters and the slash have no place in a file name. */
const FORBIDDEN_IN_NAME = /[\p{Control}/]/u;

export function malformed(what: string, cause?: unknown): ReplicationError {
  return new ReplicationError('STREAM_MALFORMED', `Cannot read stream: ${what}`, { cause });
}

export function overLimit(what: string, actual: number, max: number): ReplicationError {
  const message = `Cannot read stream: ${what} of ${actual}, at most ${max} are possible`;
  return new ReplicationError('STREAM_LIMIT', message);
}

/** The stream ended where it may not end. */
export function truncated(): ReplicationError {
  return new ReplicationError('STREAM_TRUNCATED', 'Cannot read stream: it ends inside of a frame');
}

/** The length of a text at `at`, checked: nobody waits for, or makes room for, what is too long. */
export function readLength(bytes: Uint8Array, at: number, max: number): number {
  const length = readU32be(bytes, at);
  if (length > max) throw overLimit('a text', length, max);
  return length;
}

export function readText(bytes: Uint8Array, start: number, end: number): string {
  try {
    return utf8.decode(bytes.subarray(start, end));
  } catch (error) {
    throw malformed('a text is not UTF-8', error);
  }
}

/** The name of a database, which becomes that of a file. */
export function readName(bytes: Uint8Array, start: number, end: number): string {
  const name = readText(bytes, start, end);
  if (name === '' || name === '.' || name === '..' || FORBIDDEN_IN_NAME.test(name)) {
    throw malformed('a database has a name that cannot be one');
  }
  return name;
}

export function readPosition(bytes: Uint8Array, at: number): Position {
  const txid = readU64be(bytes, at);
  const checksum = readU64be(bytes, at + 8);
  const isNone = checksum === 0n;
  if (isNone ? txid !== 0n : checksum < CHECKSUM_FLAG) throw malformed('a position is none');
  return { txid: txid as Txid, checksum: checksum as Checksum };
}

/** A time, an epoch, an offset: 64 bits of which a JavaScript number holds all that make sense. */
export function readNumber(bytes: Uint8Array, at: number): number {
  const value = Number(BigInt.asIntN(64, readU64be(bytes, at)));
  if (!Number.isSafeInteger(value) || value < 0) throw malformed('a number is beyond all sense');
  return value;
}
