// The decoder of requests, for the fuzzer (tools/fuzz.ts).

import { FuseProtocolError } from './errors.ts';
import { OPCODE } from './wire/opcode.ts';
import { FuseRequest, IN_HEADER_BYTES, RequestBuffer } from './wire/request-buffer.ts';
import { createRequestViews, viewsByOpcode } from './wire/request-views.ts';

interface FuzzTarget {
  readonly name: string;
  readonly seeds: () => Uint8Array[];
  readonly decode: (bytes: Uint8Array) => unknown;
  readonly isFormatError: (error: unknown) => boolean;
}

/** Two names, as much as any request carries. */
const NAMES = new TextEncoder().encode('old\0new\0');

/** A message of every opcode, its struct filled with zeros. */
function seeds(): Uint8Array[] {
  const views = viewsByOpcode(createRequestViews(new RequestBuffer(0)));
  return Object.values(OPCODE).map((opcode) => {
    const { structBytes } = views[opcode]!;
    const bytes = new Uint8Array(IN_HEADER_BYTES + structBytes + NAMES.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, bytes.length, true);
    view.setUint32(4, opcode, true);
    view.setUint32(16, 1, true);
    bytes.set(NAMES, IN_HEADER_BYTES + structBytes);
    return bytes;
  });
}

/** Reads all that a request says. */
function decode(bytes: Uint8Array): string {
  const buffer = new RequestBuffer(bytes.length);
  buffer.bytes.set(bytes);
  buffer.length = bytes.length;
  const view = viewsByOpcode(createRequestViews(buffer))[buffer.readHeader()];
  const request = view ?? new FuseRequest(buffer);
  request.check();
  return `${request.uniqueHi} ${request.uniqueLo} ${request.nodeid} ${request.describe()}`;
}

export const fuzzTargets: readonly FuzzTarget[] = [
  {
    name: 'fuse-request',
    seeds,
    decode,
    isFormatError: (error) => error instanceof FuseProtocolError,
  },
];
