// The id of a cluster: made by its first primary, adopted by every replica, compared at each
// meeting. It keeps nodes of different clusters apart. The form is LiteFS's: "LFSC" and sixteen
// uppercase hexadecimal digits.

import { formatHex64, readU64be } from '@skein/bytes';
import type { Random } from '@skein/host';

const CLUSTER_ID = /^LFSC[0-9A-F]{16}$/;

export function newClusterId(random: Random): string {
  const bytes = new Uint8Array(8);
  random.fill(bytes);
  return `LFSC${formatHex64(readU64be(bytes, 0)).toUpperCase()}`;
}

export function isClusterId(text: string): boolean {
  return CLUSTER_ID.test(text);
}
