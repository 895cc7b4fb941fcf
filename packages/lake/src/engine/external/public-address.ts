// Which addresses a client may make the server fetch from: public ones, unless private ones are
// allowed too. Loopback, link-local (where clouds keep their metadata), private, carrier-grade NAT,
// multicast, reserved ones and all of them behind IPv6's ways of writing IPv4 are not public.

import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

import ipaddr from 'ipaddr.js';

import { LakeError } from '../errors.ts';

/** What is unicast to ipaddr.js, and is not public: */
const NOT_PUBLIC = [
  // The agent of Azure's machines, which tells each of its certificates and settings.
  '168.63.129.16/32',
  // IPv4 within IPv6 as it was before RFC 4291.
  '::/96',
].map((range) => ipaddr.parseCIDR(range));

/** Of an address as text, also in the old forms of IPv4 (`0x7f.1`, `2130706433`). */
export function isPublicAddress(text: string): boolean {
  const bare = text.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  if (!ipaddr.isValid(bare)) return false;
  const address = ipaddr.process(bare);
  const range = address.range();
  const isListed = NOT_PUBLIC.some(
    ([network, bits]) => network.kind() === address.kind() && address.match(network, bits),
  );
  return range === 'unicast' && !isListed;
}

export interface AddressPolicy {
  readonly allowHosts: readonly string[];
  readonly allowPrivate: boolean;
}

/** Of the name alone, before anything is resolved. Throws LAKE_LOCATION. */
export function checkHost(host: string, policy: AddressPolicy): void {
  const name = host.toLowerCase().replace(/\.$/, '');
  if (!policy.allowHosts.some((pattern) => matchesHost(name, pattern.toLowerCase()))) {
    throw refused(`The host ${name} is not among those that may be fetched from`);
  }
  const bare = name.replace(/^\[|\]$/g, '');
  if (!policy.allowPrivate && ipaddr.isValid(bare) && !isPublicAddress(bare)) {
    throw refused(`The address ${name} is not a public one`);
  }
}

/**
 * For a connection: the addresses of the name, all of them allowed. What is connected to is what
 * was looked at, whatever the name says a moment later.
 */
export function checkedLookup(policy: AddressPolicy): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, '');
        return;
      }
      const allowed = addresses.filter(
        ({ address }) => policy.allowPrivate || isPublicAddress(address),
      );
      const [first] = allowed;
      if (first === undefined) {
        callback(refused(`The host ${hostname} has no public address`), '');
      } else if (options.all === true) {
        callback(null, allowed);
      } else {
        callback(null, first.address, first.family);
      }
    });
  };
}

function matchesHost(name: string, pattern: string): boolean {
  if (pattern === '*') return true;
  if (pattern.startsWith('*.')) return name.endsWith(pattern.slice(1));
  return name === pattern;
}

export function refused(message: string, cause?: unknown): LakeError {
  return new LakeError('forbidden', 'LAKE_LOCATION', message, { cause });
}
