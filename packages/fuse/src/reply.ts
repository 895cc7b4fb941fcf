// The answer to one request. The same object serves one request after the other; what a handler
// wants to answer later it takes along with hold().
//
// Exactly one answer goes out for a request: a second one, or one that is held twice, is a bug and
// fails an assertion. Every shape of answer is an interface of its own, so that a handler's types
// show how its request may be answered.

import { assert } from '@skein/bytes';
import { ERRNO } from '@skein/host';

import { type Dirent, encodeDirent } from './wire/dirents.ts';
import { encodeInitOut, INIT_OUT_BYTES, type Negotiated } from './wire/init.ts';
import type { FuseRequest } from './wire/request-buffer.ts';
import {
  ATTR_OUT_BYTES,
  type AttrOut,
  encodeAttrOut,
  encodeEntryOut,
  encodeLkOut,
  encodeNegativeEntry,
  encodeOpenOut,
  encodeOutHeader,
  encodeStatfsOut,
  ENTRY_OUT_BYTES,
  type EntryOut,
  LK_OUT_BYTES,
  type LkOut,
  OPEN_OUT_BYTES,
  type OpenOut,
  OUT_HEADER_BYTES,
  setU64,
  STATFS_OUT_BYTES,
  type StatfsOut,
} from './wire/structs.ts';

/** What every request may be answered with. */
interface Answer<Self> {
  /** The request failed with this (positive) error number. */
  error(errno: number): void;
  /**
   * Takes the reply out of the loop's hands: any later code on this thread may answer it, once. The
   * process that made the request stands still until then, beyond the reach of kill -9, and so may
   * others that need the same file or folder.
   */
  hold(): Self;
}

export interface EmptyReply extends Answer<EmptyReply> {
  ok(): void;
}

export interface EntryReply extends Answer<EntryReply> {
  entry(entry: EntryOut): void;
}

export interface LookupReply extends Answer<LookupReply> {
  entry(entry: EntryOut): void;
  /** There is no such name, and the kernel may believe that for a while. */
  negativeEntry(entryValidMs: number): void;
}

export interface CreateReply extends Answer<CreateReply> {
  create(entry: EntryOut, open: OpenOut): void;
}

export interface AttrReply extends Answer<AttrReply> {
  attr(out: AttrOut): void;
}

export interface OpenReply extends Answer<OpenReply> {
  open(open: OpenOut): void;
}

export interface DataReply extends Answer<DataReply> {
  /** Memory to put the data into, from `dataStart`, before data() sends it. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly dataStart: number;
  /** Sends the first `length` bytes from `dataStart`: at most as many as were asked for. */
  data(length: number): void;
}

export interface TextReply extends Answer<TextReply> {
  text(text: string): void;
}

export interface DirentReply extends Answer<DirentReply> {
  /** Adds an entry; READDIRPLUS gives `entry` too. False when there is no room for it any more. */
  add(dirent: Dirent, entry?: EntryOut): boolean;
  /** Sends what was added; nothing at all says that the listing is complete. */
  dirents(): void;
}

export interface WriteReply extends Answer<WriteReply> {
  written(size: number): void;
}

export interface XattrReply extends Answer<XattrReply> {
  /** Sends a value; only its size if that was asked; ERANGE if it is longer than asked for. */
  xattr(value: Uint8Array): void;
}

export interface StatfsReply extends Answer<StatfsReply> {
  statfs(statfs: StatfsOut): void;
}

export interface LkReply extends Answer<LkReply> {
  lock(lock: LkOut): void;
}

export interface LseekReply extends Answer<LseekReply> {
  offset(offset: number): void;
}

export interface IoctlReply extends Answer<IoctlReply> {
  /** The result of the call, and what it puts into the caller's struct. */
  ioctl(result: number, out: Uint8Array): void;
}

/** Where replies go. */
export interface ReplySink {
  /** How many replies are held: their processes stand still. */
  heldCount: number;
  send(bytes: Uint8Array, length: number, opcode: number): void;
}

// Beyond data, the longest body is the path of a READLINK (PATH_MAX).
const BODY_BYTES_MAX = 4096;
// Before the data of an IOCTL comes its struct.
const IOCTL_OUT_BYTES = 16;
// Error numbers from here on are the kernel's own; it would drop the reply and the request hangs.
const ERRNO_END = 512;

const NONE = 0;
const OPEN = 1;
const HELD = 2;
const ANSWERED = 3;

export class Reply
  implements
    EmptyReply,
    EntryReply,
    LookupReply,
    CreateReply,
    AttrReply,
    OpenReply,
    DataReply,
    TextReply,
    DirentReply,
    WriteReply,
    XattrReply,
    StatfsReply,
    LkReply,
    LseekReply,
    IoctlReply
{
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly dataStart: number = OUT_HEADER_BYTES;
  readonly #view: DataView;
  readonly #sink: ReplySink;
  readonly #isHeld: boolean;
  #state: number = NONE;
  #opcode = 0;
  #uniqueLo = 0;
  #uniqueHi = 0;
  #dataBytesMax = 0;
  #direntBytes = 0;

  private constructor(sink: ReplySink, dataBytesMax: number, isHeld: boolean) {
    this.#sink = sink;
    this.#isHeld = isHeld;
    const bodyBytes = Math.max(BODY_BYTES_MAX, IOCTL_OUT_BYTES + dataBytesMax);
    this.bytes = new Uint8Array(OUT_HEADER_BYTES + bodyBytes);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** A reply to be used for one request after the other. `dataBytesMax`: the longest READ. */
  static reusable(sink: ReplySink, dataBytesMax: number): Reply {
    return new Reply(sink, dataBytesMax, false);
  }

  /** For the dispatcher: from here on this is the reply to `request`. */
  begin(request: FuseRequest): void {
    assert(this.#state !== OPEN, 'Begins a reply before the one before it was answered');
    this.#state = OPEN;
    this.#opcode = request.opcode;
    this.#uniqueLo = request.uniqueLo;
    this.#uniqueHi = request.uniqueHi;
    this.#dataBytesMax = request.replyBytesMax;
    this.#direntBytes = 0;
  }

  /** Neither answered nor held. */
  get isOpen(): boolean {
    return this.#state === OPEN;
  }

  hold(): Reply {
    assert(this.#state === OPEN && !this.#isHeld, 'Holds a reply that was answered or is held');
    const held = new Reply(this.#sink, this.#dataBytesMax, true);
    held.#state = OPEN;
    held.#opcode = this.#opcode;
    held.#uniqueLo = this.#uniqueLo;
    held.#uniqueHi = this.#uniqueHi;
    held.#dataBytesMax = this.#dataBytesMax;
    this.#state = HELD;
    this.#sink.heldCount += 1;
    return held;
  }

  error(errno: number): void {
    assert(errno > 0 && errno < ERRNO_END, 'Answers with what is no error number');
    this.#send(0, -errno);
  }

  ok(): void {
    this.#send(0);
  }

  entry(entry: EntryOut): void {
    assert(entry.nodeid > 0, 'Answers with an entry without a node');
    encodeEntryOut(this.#view, OUT_HEADER_BYTES, entry);
    this.#send(ENTRY_OUT_BYTES);
  }

  negativeEntry(entryValidMs: number): void {
    encodeNegativeEntry(this.#view, this.bytes, OUT_HEADER_BYTES, entryValidMs);
    this.#send(ENTRY_OUT_BYTES);
  }

  create(entry: EntryOut, open: OpenOut): void {
    assert(entry.nodeid > 0, 'Answers with an entry without a node');
    encodeEntryOut(this.#view, OUT_HEADER_BYTES, entry);
    encodeOpenOut(this.#view, OUT_HEADER_BYTES + ENTRY_OUT_BYTES, open);
    this.#send(ENTRY_OUT_BYTES + OPEN_OUT_BYTES);
  }

  attr(out: AttrOut): void {
    encodeAttrOut(this.#view, OUT_HEADER_BYTES, out);
    this.#send(ATTR_OUT_BYTES);
  }

  open(open: OpenOut): void {
    encodeOpenOut(this.#view, OUT_HEADER_BYTES, open);
    this.#send(OPEN_OUT_BYTES);
  }

  data(length: number): void {
    assert(length >= 0 && length <= this.#dataBytesMax, 'Answers with more data than asked for');
    this.#send(length);
  }

  text(text: string): void {
    const encoded = new TextEncoder().encode(text);
    assert(encoded.length < BODY_BYTES_MAX, 'Answers with a text that is too long');
    this.bytes.set(encoded, OUT_HEADER_BYTES);
    this.#send(encoded.length);
  }

  add(dirent: Dirent, entry?: EntryOut): boolean {
    const at = OUT_HEADER_BYTES + this.#direntBytes;
    const end = OUT_HEADER_BYTES + this.#dataBytesMax;
    const length = encodeDirent(this.bytes, { at, end }, dirent, entry);
    this.#direntBytes += length;
    return length > 0;
  }

  dirents(): void {
    this.#send(this.#direntBytes);
  }

  written(size: number): void {
    // struct fuse_write_out: 0 u32 size, 4 u32 padding. The 64-bit count of COPY_FILE_RANGE_64 has
    // the same bytes.
    setU64(this.#view, OUT_HEADER_BYTES, size);
    this.#send(8);
  }

  xattr(value: Uint8Array): void {
    if (this.#dataBytesMax === 0) {
      // struct fuse_getxattr_out: 0 u32 size, 4 u32 padding.
      setU64(this.#view, OUT_HEADER_BYTES, value.length);
      this.#send(8);
    } else if (value.length > this.#dataBytesMax) {
      this.error(ERRNO.ERANGE);
    } else {
      this.bytes.set(value, OUT_HEADER_BYTES);
      this.#send(value.length);
    }
  }

  statfs(statfs: StatfsOut): void {
    encodeStatfsOut(this.#view, this.bytes, OUT_HEADER_BYTES, statfs);
    this.#send(STATFS_OUT_BYTES);
  }

  lock(lock: LkOut): void {
    encodeLkOut(this.#view, OUT_HEADER_BYTES, lock);
    this.#send(LK_OUT_BYTES);
  }

  offset(offset: number): void {
    setU64(this.#view, OUT_HEADER_BYTES, offset);
    this.#send(8);
  }

  ioctl(result: number, out: Uint8Array): void {
    assert(out.length <= this.#dataBytesMax, 'Answers with more data than asked for');
    // struct fuse_ioctl_out: 0 i32 result, 4 u32 flags, 8 u32 in_iovs, 12 u32 out_iovs.
    this.bytes.fill(0, OUT_HEADER_BYTES, OUT_HEADER_BYTES + IOCTL_OUT_BYTES);
    this.#view.setInt32(OUT_HEADER_BYTES, result, true);
    this.bytes.set(out, OUT_HEADER_BYTES + IOCTL_OUT_BYTES);
    this.#send(IOCTL_OUT_BYTES + out.length);
  }

  /** The answer to INIT, which no handler gives. */
  init(negotiated: Negotiated): void {
    encodeInitOut(this.#view, this.bytes, negotiated);
    this.#send(INIT_OUT_BYTES);
  }

  #send(bodyBytes: number, error = 0): void {
    assert(this.#state === OPEN, 'Answers a request twice');
    this.#state = ANSWERED;
    if (this.#isHeld) this.#sink.heldCount -= 1;
    const length = OUT_HEADER_BYTES + bodyBytes;
    encodeOutHeader(this.#view, length, error, this.#uniqueLo, this.#uniqueHi);
    this.#sink.send(this.bytes, length, this.#opcode);
  }
}
