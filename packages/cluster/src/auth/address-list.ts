// Addresses that may connect without a signature, because LiteFS cannot make one.

import { BlockList, isIP } from 'node:net';

const MAPPED_IPV4 = '::ffff:';

export class AddressList {
  // Node's name for a set of addresses, whatever it is for.
  readonly #addresses = new BlockList();

  /** Of addresses and networks: `10.0.0.7`, `10.0.0.0/8`, `fd00::/8`. Throws RangeError. */
  constructor(entries: readonly string[]) {
    for (const entry of entries) this.#add(entry);
  }

  has(address: string): boolean {
    const plain = address.toLowerCase().startsWith(MAPPED_IPV4)
      ? address.slice(MAPPED_IPV4.length)
      : // The zone of a link-local address: fe80::1%eth0.
        address.replace(/%.*$/, '');
    const family = isIP(plain);
    return family !== 0 && this.#addresses.check(plain, family === 4 ? 'ipv4' : 'ipv6');
  }

  #add(entry: string): void {
    const [address = '', bits, ...rest] = entry.split('/');
    const family = isIP(address);
    const bitCountMax = family === 4 ? 32 : 128;
    const bitCount = bits === undefined ? bitCountMax : Number(bits);
    const isGood =
      family !== 0 &&
      rest.length === 0 &&
      (bits === undefined || /^\d{1,3}$/.test(bits)) &&
      bitCount <= bitCountMax;
    if (!isGood) throw new RangeError(`Not an address or a network: ${JSON.stringify(entry)}`);
    this.#addresses.addSubnet(address, bitCount, family === 4 ? 'ipv4' : 'ipv6');
  }
}
