// The memory that requests are read into, and the base of the typed views of a request.
//
//   struct fuse_in_header, 40 bytes
//    0 u32 len            of the whole message
//    4 u32 opcode
//    8 u64 unique         names the request in its reply
//   16 u64 nodeid         of the file or folder that it is about
//   24 u32 uid            of the process that waits, in the daemon's user namespace
//   28 u32 gid
//   32 u32 pid            0 when the kernel asks on nobody's behalf
//   36 u16 total_extlen   length of extensions, in units of 8 bytes
//   38 u16 padding
//   40 the struct of the opcode, then names or data
//
// The protocol uses the byte order of the machine, which here is always little-endian.
//
// One buffer holds one request at a time, and all views of it are made once and read the message
// that is in it now: reading a request allocates nothing. A handler that wants to remember
// something copies it.

import { FuseProtocolError } from '../errors.ts';

export const IN_HEADER_BYTES = 40;

const TWO_TO_32 = 0x1_0000_0000;

// Names travel as bytes. A name that is not UTF-8 must not be taken for another one, which a
// lenient decoder would make of it.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class RequestBuffer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  /** Bytes of the message that is in the buffer now. */
  length = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** The opcode of the message, after its header has been found sound; throws otherwise. */
  readHeader(): number {
    if (this.length < IN_HEADER_BYTES || this.view.getUint32(0, true) !== this.length) {
      throw new FuseProtocolError('FUSE_REQUEST_MALFORMED', `Request of ${this.length} bytes`);
    }
    return this.view.getUint32(4, true);
  }
}

/** A request without a struct of its own; the base of those that have one. */
export class FuseRequest {
  readonly buffer: RequestBuffer;
  /** Bytes of the struct that follows the header. */
  readonly structBytes: number;

  constructor(buffer: RequestBuffer, structBytes = 0) {
    this.buffer = buffer;
    this.structBytes = structBytes;
  }

  get opcode(): number {
    return this.buffer.view.getUint32(4, true);
  }

  /** The lower and upper half of `unique`. */
  get uniqueLo(): number {
    return this.buffer.view.getUint32(8, true);
  }

  get uniqueHi(): number {
    return this.buffer.view.getUint32(12, true);
  }

  get nodeid(): number {
    return this.buffer.view.getUint32(16, true) + this.buffer.view.getUint32(20, true) * TWO_TO_32;
  }

  get uid(): number {
    return this.buffer.view.getUint32(24, true);
  }

  get gid(): number {
    return this.buffer.view.getUint32(28, true);
  }

  get pid(): number {
    return this.buffer.view.getUint32(32, true);
  }

  /** Throws unless the message is long enough for its struct. */
  check(): void {
    if (this.tailBytes < 0) throw malformed(this, this.structBytes);
  }

  /** The most bytes that a reply with data may hold; 0 if there is no data in the reply. */
  get replyBytesMax(): number {
    return 0;
  }

  /** The fields of the struct in words, for the trace. */
  describe(): string {
    return '';
  }

  /** A field of the struct, `at` bytes from its beginning. */
  protected u32(at: number): number {
    return this.buffer.view.getUint32(IN_HEADER_BYTES + at, true);
  }

  /** A 64-bit field as a number: exact below 2^53, beyond that rounded. No file is that long. */
  protected u64(at: number): number {
    const view = this.buffer.view;
    const start = IN_HEADER_BYTES + at;
    return view.getUint32(start, true) + view.getUint32(start + 4, true) * TWO_TO_32;
  }

  protected bigU64(at: number): bigint {
    return this.buffer.view.getBigUint64(IN_HEADER_BYTES + at, true);
  }

  /** The `index`-th of the strings behind the struct, each of which a NUL byte ends. */
  protected text(index = 0): string {
    const { bytes, length } = this.buffer;
    let start = IN_HEADER_BYTES + this.structBytes;
    for (let skipped = 0; ; skipped += 1) {
      const end = bytes.indexOf(0, start);
      if (end === -1 || end >= length) {
        throw new FuseProtocolError('FUSE_REQUEST_MALFORMED', 'Request whose name does not end');
      }
      if (skipped === index) return decodeName(bytes.subarray(start, end));
      start = end + 1;
    }
  }

  /** Where in `buffer.bytes` that which follows the struct begins. */
  protected get tailStart(): number {
    return IN_HEADER_BYTES + this.structBytes;
  }

  /** How long that is. */
  protected get tailBytes(): number {
    return this.buffer.length - this.tailStart;
  }

  /** Throws unless at least `bytes` follow the struct. */
  protected checkTail(bytes: number): void {
    if (this.tailBytes < bytes) throw malformed(this, this.structBytes + bytes);
  }
}

function malformed(request: FuseRequest, expectedBytes: number): FuseProtocolError {
  const actualBytes = request.buffer.length - IN_HEADER_BYTES;
  return new FuseProtocolError(
    'FUSE_REQUEST_MALFORMED',
    `Request ${request.opcode} of ${actualBytes} bytes after its header, expected ${expectedBytes}`,
  );
}

function decodeName(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new FuseProtocolError('FUSE_NAME_NOT_UTF8', 'Name that is not UTF-8', { cause });
  }
}
