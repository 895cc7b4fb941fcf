// Who the client is, for counting logins: behind proxies only their X-Forwarded-For tells. It is
// read from its end, as far as those who wrote it are believed.

import { isIP, isIPv4 } from 'node:net';

/** RFC 1918, RFC 6598, loopback, link-local. */
const PRIVATE_V4 = new RegExp(
  '^(?:10\\.|127\\.|192\\.168\\.|169\\.254\\.|172\\.(?:1[6-9]|2\\d|3[01])\\.|' +
    '100\\.(?:6[4-9]|[7-9]\\d|1[01]\\d|12[0-7])\\.)',
);
/** Loopback, unique local, link-local. */
const PRIVATE_V6 = /^(?:::1$|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)/i;

export type ForwardedTrust = 'private' | 'all' | 'none';

/** `address` is of the connection; without it nothing is known, whatever headers say. */
export function clientAddress(
  address: string | undefined,
  forwardedFor: string | null,
  trust: ForwardedTrust,
): string | undefined {
  if (address === undefined) return undefined;
  let client = plain(address);
  const hops = (forwardedFor ?? '').split(',').map((hop) => plain(hop.trim()));
  for (const hop of hops.toReversed()) {
    if (!isBelieved(client, trust) || isIP(hop) === 0) break;
    client = hop;
  }
  return client;
}

function isBelieved(address: string, trust: ForwardedTrust): boolean {
  if (trust !== 'private') return trust === 'all';
  return isIPv4(address) ? PRIVATE_V4.test(address) : PRIVATE_V6.test(address);
}

/** IPv4 as IPv4, also over a socket for both. */
function plain(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
