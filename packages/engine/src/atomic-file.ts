// Small files that are replaced as a whole: after a crash there is the old content or the new, and
// damage is noticed. One line of JSON, then one with the CRC-64 of the first.

import { crc64, formatHex64 } from '@skein/bytes';
import type { Disk } from '@skein/host';

const utf8 = new TextEncoder();

/** Durable when it returns. `op` names the steps: `<op>.write`, `.sync`, `.rename`, `.name`. */
export function writeAtomicFile(disk: Disk, op: string, path: string, value: object): void {
  const text = `${JSON.stringify(value)}\n`;
  const bytes = utf8.encode(`${text}${formatHex64(crc64(utf8.encode(text)))}\n`);
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
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(file.size(`${op}.size`));
    file.read(`${op}.read`, bytes, 0, bytes.length, 0);
  } finally {
    file.close();
  }
  const lines = new TextDecoder().decode(bytes).split('\n');
  const [json = '', crc = ''] = lines;
  if (crc !== formatHex64(crc64(utf8.encode(`${json}\n`)))) return 'damaged';
  return JSON.parse(json) as unknown;
}
