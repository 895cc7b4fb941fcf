// Decodes what a primary sends, in whatever pieces it comes.
//
// A frame is handed out when it is whole; LTX files of LiteFS and files of Skein are handed out in
// the pieces in which they come, so memory is bounded by one transaction. Nothing is read behind a
// fault, and after it the decoder is of no more use. What LTX files contain is not looked at here.

import { assert, ByteFeed, readU32be, readU64be } from '@skein/bytes';
import type { Txid } from '@skein/ltx';

import {
  malformed,
  overLimit,
  readName,
  readNumber,
  readPosition,
  readText,
  truncated,
} from './fields.ts';
import { type FrameHead, type HeadLayout, maybeTakeHead, peekType } from './frame-head.ts';
import {
  FRAME_DROP_DATABASE,
  FRAME_END,
  FRAME_FILE_BEGIN,
  FRAME_FILE_END,
  FRAME_FILE_PIECE,
  FRAME_HANDOFF,
  FRAME_HEARTBEAT,
  FRAME_HIGH_WATER_MARK,
  FRAME_LTX,
  FRAME_READY,
  FRAME_TRANSACTION,
} from './frame-type.ts';
import type { ServerFrame } from './frames.ts';
import {
  FILE_ID_BYTES_MAX,
  FILE_PIECE_BYTES_MAX,
  LEASE_ID_BYTES_MAX,
  NAME_BYTES_MAX,
  TRANSACTION_BYTES_MAX,
} from './limits.ts';
import { Payload } from './payload.ts';

/** Which frames may come. */
export type Dialect = 'litefs' | 'skein';

interface FrameRule {
  readonly layout: HeadLayout;
  readonly dialects: readonly Dialect[];
  /** May stand inside of a file. */
  readonly isInFile?: boolean;
}

const BOTH: readonly Dialect[] = ['litefs', 'skein'];
const LITEFS: readonly Dialect[] = ['litefs'];
const SKEIN: readonly Dialect[] = ['skein'];

const RULES: ReadonlyMap<number, FrameRule> = new Map<number, FrameRule>([
  [FRAME_LTX, { layout: { fixedBytes: 12, texts: [NAME_BYTES_MAX] }, dialects: LITEFS }],
  [FRAME_READY, { layout: { fixedBytes: 4, texts: [] }, dialects: BOTH }],
  [FRAME_END, { layout: { fixedBytes: 4, texts: [] }, dialects: BOTH, isInFile: true }],
  [FRAME_DROP_DATABASE, { layout: { fixedBytes: 4, texts: [NAME_BYTES_MAX] }, dialects: BOTH }],
  [FRAME_HANDOFF, { layout: { fixedBytes: 4, texts: [LEASE_ID_BYTES_MAX] }, dialects: LITEFS }],
  [
    FRAME_HIGH_WATER_MARK,
    { layout: { fixedBytes: 12, texts: [NAME_BYTES_MAX] }, dialects: LITEFS },
  ],
  [FRAME_HEARTBEAT, { layout: { fixedBytes: 12, texts: [] }, dialects: BOTH, isInFile: true }],
  [FRAME_TRANSACTION, { layout: { fixedBytes: 16, texts: [NAME_BYTES_MAX] }, dialects: SKEIN }],
  [
    FRAME_FILE_BEGIN,
    { layout: { fixedBytes: 36, texts: [NAME_BYTES_MAX, FILE_ID_BYTES_MAX] }, dialects: SKEIN },
  ],
  [FRAME_FILE_PIECE, { layout: { fixedBytes: 8, texts: [] }, dialects: SKEIN, isInFile: true }],
  [FRAME_FILE_END, { layout: { fixedBytes: 4, texts: [] }, dialects: SKEIN, isInFile: true }],
]);

/** What of the input is expected next. */
type State = 'head' | 'transaction' | 'file-piece' | 'chunk-size' | 'chunk';

export class ServerDecoder {
  readonly #dialect: Dialect;
  readonly #feed = new ByteFeed();
  readonly #payload = new Payload();
  #frames: ServerFrame[] = [];
  #state: State = 'head';
  #isInFile = false;
  #isEnded = false;
  /** Bytes of the piece or chunk at hand that are still to come. */
  #remaining = 0;
  /** Of the transaction at hand. */
  #database = '';
  #epoch = 0;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  /** Whether the middle of an LTX file of LiteFS is reached: nothing else can come then. */
  get isInLtx(): boolean {
    return this.#state === 'chunk-size' || this.#state === 'chunk';
  }

  /** The frames that this piece completes. Throws ReplicationError. */
  push(bytes: Uint8Array): readonly ServerFrame[] {
    this.#feed.give(bytes);
    while (this.#step());
    const frames = this.#frames;
    this.#frames = [];
    return frames;
  }

  /** To be called when the stream has ended: throws if that was inside of a frame. */
  finish(): void {
    const isWhole = this.#state === 'head' && !this.#feed.peek(1) && !this.#isInFile;
    if (!isWhole && !this.#isEnded) throw truncated();
  }

  #step(): boolean {
    switch (this.#state) {
      case 'head':
        return this.#stepHead();
      case 'transaction':
        return this.#stepTransaction();
      case 'file-piece':
        return this.#stepBytes('file-bytes', 'head');
      case 'chunk-size':
        return this.#stepChunkSize();
      case 'chunk':
        return this.#stepBytes('ltx-bytes', 'chunk-size');
    }
  }

  #stepHead(): boolean {
    const type = peekType(this.#feed);
    if (type === undefined) return false;
    if (this.#isEnded) throw malformed('a frame comes after the end');
    const rule = RULES.get(type);
    if (rule === undefined || !rule.dialects.includes(this.#dialect)) {
      throw malformed(`a frame of type ${type}`);
    }
    if (this.#isInFile && rule.isInFile !== true) {
      throw malformed(`a frame of type ${type} inside of a file`);
    }
    const head = maybeTakeHead(this.#feed, rule.layout);
    if (head === undefined) return false;
    this.#begin(type, head);
    return true;
  }

  #begin(type: number, head: FrameHead): void {
    const { bytes, start } = head;
    switch (type) {
      case FRAME_LTX:
        this.#state = 'chunk-size';
        return this.#emit({ kind: 'ltx-begin', database: nameOf(head) });
      case FRAME_READY:
        return this.#emit({ kind: 'ready' });
      case FRAME_END:
        this.#isEnded = true;
        return this.#emit({ kind: 'end' });
      case FRAME_DROP_DATABASE:
        return this.#emit({ kind: 'drop-database', database: nameOf(head) });
      case FRAME_HANDOFF: {
        const [from, to] = head.texts[0]!;
        return this.#emit({ kind: 'handoff', leaseId: readText(bytes, from, to) });
      }
      case FRAME_HIGH_WATER_MARK: {
        const txid = readU64be(bytes, start + 4) as Txid;
        return this.#emit({ kind: 'high-water-mark', database: nameOf(head), txid });
      }
      case FRAME_HEARTBEAT:
        return this.#emit({ kind: 'heartbeat', wallMs: readNumber(bytes, start + 4) });
      default:
        return this.#beginOfSkein(type, head);
    }
  }

  #beginOfSkein(type: number, head: FrameHead): void {
    const { bytes, start } = head;
    switch (type) {
      case FRAME_TRANSACTION: {
        const size = readU32be(bytes, start + 12);
        if (size === 0) throw malformed('a transaction without bytes');
        if (size > TRANSACTION_BYTES_MAX) {
          throw overLimit('a transaction', size, TRANSACTION_BYTES_MAX);
        }
        this.#epoch = readNumber(bytes, start + 4);
        this.#database = nameOf(head);
        this.#payload.begin(size);
        this.#state = 'transaction';
        return;
      }
      case FRAME_FILE_BEGIN:
        this.#isInFile = true;
        return this.#emit(fileBegin(head));
      case FRAME_FILE_PIECE:
        if (!this.#isInFile) throw malformed('a piece of no file');
        this.#remaining = readU32be(bytes, start + 4);
        if (this.#remaining > FILE_PIECE_BYTES_MAX) {
          throw overLimit('a piece of a file', this.#remaining, FILE_PIECE_BYTES_MAX);
        }
        this.#state = 'file-piece';
        return;
      default:
        assert(type === FRAME_FILE_END, 'A rule for a frame that nobody reads');
        if (!this.#isInFile) throw malformed('the end of no file');
        this.#isInFile = false;
        return this.#emit({ kind: 'file-end' });
    }
  }

  #stepTransaction(): boolean {
    const bytes = this.#payload.next(this.#feed);
    if (bytes === undefined) return false;
    this.#state = 'head';
    const transaction = { database: this.#database, epoch: this.#epoch, bytes };
    this.#emit({ kind: 'transaction', transaction });
    return true;
  }

  #stepChunkSize(): boolean {
    if (!this.#feed.take(2)) return false;
    const { bytes, start } = this.#feed;
    this.#remaining = (bytes[start]! << 8) | bytes[start + 1]!;
    this.#state = this.#remaining === 0 ? 'head' : 'chunk';
    if (this.#remaining === 0) this.#emit({ kind: 'ltx-end' });
    return true;
  }

  #stepBytes(kind: 'ltx-bytes' | 'file-bytes', next: State): boolean {
    if (this.#remaining === 0) {
      this.#state = next;
      return true;
    }
    const count = this.#feed.takeSome(this.#remaining);
    if (count === 0) return false;
    this.#remaining -= count;
    const { bytes, start } = this.#feed;
    this.#emit({ kind, bytes: bytes.subarray(start, start + count) });
    return true;
  }

  #emit(frame: ServerFrame): void {
    this.#frames.push(frame);
  }
}

function nameOf({ bytes, texts }: FrameHead): string {
  const [from, to] = texts[0]!;
  return readName(bytes, from, to);
}

function fileBegin(head: FrameHead): ServerFrame {
  const { bytes, start, texts } = head;
  const [idStart, idEnd] = texts[1]!;
  const id = readText(bytes, idStart, idEnd);
  // It is sent back in a header, to resume.
  if (!/^[\x21-\x7e]+$/.test(id)) throw malformed('a file has an id that cannot be one');
  return {
    kind: 'file-begin',
    head: {
      database: nameOf(head),
      epoch: readNumber(bytes, start + 4),
      id,
      offset: readNumber(bytes, start + 12),
      position: readPosition(bytes, start + 20),
    },
  };
}
