// Small files that are replaced as a whole: after a crash there is the old content or the new, and
// damage is noticed. One line of JSON, then one with the CRC-64 of the first.

import { crc64, formatHex64 } from '@skein/bytes';
import type { Disk } from '@skein/host';

const LINE_FEED = 0x0a;
const utf8 = new TextEncoder();

/** Durable when it returns. `op` names the steps: `<op>.write`, `.sync`, `.rename`, `.name`. */
export function writeAtomicFile(disk: Disk, op: string, path: string, value: object): void {
  const bytes = encodeAtomic(JSON.stringify(value));
  const temporary = `${path}.tmp`;
  const file = disk.open(`${op}.create`, temporary, 'create');
  try {
    file.write(`${op}.write`, bytes, 0, bytes.length, 0);
    file.sync(`${op}.sync`);
  } finally {
    file.close();
  }
  disk.rename(`${op}.rename`, temporary, path);
  disk.syncDirectory(`${op}.name`, path.slice(0, path.lastIndexOf('/')));
}

/** The value, 'missing' when there is no file, or 'damaged' when it is not what was written. */
export function readAtomicFile(disk: Disk, op: string, path: string): unknown {
  if (disk.stat(`${op}.stat`, path) === undefined) return 'missing';
  const file = disk.open(`${op}.open`, path, 'read');
  try {
    const bytes = new Uint8Array(file.size(`${op}.size`));
    file.read(`${op}.read`, bytes, 0, bytes.length, 0);
    return maybeDecodeAtomic(bytes) ?? 'damaged';
  } finally {
    file.close();
  }
}

/** Undefined when the bytes are not, every one of them, as they were written. */
export function maybeDecodeAtomic(bytes: Uint8Array): object | undefined {
  const end = bytes.indexOf(LINE_FEED);
  if (end === -1) return undefined;
  const json = new TextDecoder().decode(bytes.subarray(0, end));
  if (Buffer.compare(encodeAtomic(json), bytes) !== 0) return undefined;
  const value = maybeParse(json);
  return typeof value === 'object' && value !== null ? value : undefined;
}

function maybeParse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The bytes of a file with one line of JSON. */
export function encodeAtomic(json: string): Uint8Array {
  const line = utf8.encode(`${json}\n`);
  return utf8.encode(`${json}\n${formatHex64(crc64(line))}\n`);
}
