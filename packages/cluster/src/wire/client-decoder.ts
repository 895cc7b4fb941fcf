// Decodes what a replica sends: its position map, then, if it is one of Skein, acknowledgements and
// heartbeats. All frames are small, so memory is bounded by the map.

import { ByteFeed, readU64be } from '@skein/bytes';
import type { Txid } from '@skein/ltx';

import type { PositionMap } from '../ports.ts';
import {
  malformed,
  POSITION_BYTES,
  readName,
  readNumber,
  readPosition,
  truncated,
} from './fields.ts';
import { type FrameHead, type HeadLayout, maybeTakeHead, peekType } from './frame-head.ts';
import { FRAME_ACKNOWLEDGEMENT, FRAME_HEARTBEAT } from './frame-type.ts';
import type { ClientFrame } from './frames.ts';
import { NAME_BYTES_MAX } from './limits.ts';
import { PositionMapDecoder } from './position-map.ts';
import type { Dialect } from './server-decoder.ts';

const HEARTBEAT: HeadLayout = { fixedBytes: 12, texts: [] };
const ACKNOWLEDGEMENT: HeadLayout = {
  fixedBytes: 12 + 2 * POSITION_BYTES,
  texts: [NAME_BYTES_MAX],
};

export class ClientDecoder {
  readonly #dialect: Dialect;
  readonly #feed = new ByteFeed();
  readonly #map = new PositionMapDecoder(this.#feed);
  #positions: PositionMap | undefined;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  /** Where the replica stood when it connected; undefined until all of it has come. */
  get positions(): PositionMap | undefined {
    return this.#positions;
  }

  /** The frames that this piece completes. Throws ReplicationError. */
  push(bytes: Uint8Array): readonly ClientFrame[] {
    this.#feed.give(bytes);
    this.#positions ??= this.#map.next();
    const frames: ClientFrame[] = [];
    if (this.#positions === undefined) return frames;
    if (this.#dialect === 'litefs' && this.#feed.peek(1)) throw malformed('bytes behind the map');
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) frames.push(frame);
    return frames;
  }

  /** To be called when the stream has ended: throws if that was inside of the map or a frame. */
  finish(): void {
    if (this.#positions === undefined || this.#feed.peek(1)) throw truncated();
  }

  #next(): ClientFrame | undefined {
    const type = peekType(this.#feed);
    if (type === undefined) return undefined;
    if (type === FRAME_HEARTBEAT) {
      const head = maybeTakeHead(this.#feed, HEARTBEAT);
      return head && { kind: 'heartbeat', wallMs: readNumber(head.bytes, head.start + 4) };
    }
    if (type !== FRAME_ACKNOWLEDGEMENT) throw malformed(`a frame of type ${type}`);
    const head = maybeTakeHead(this.#feed, ACKNOWLEDGEMENT);
    return head && readAcknowledgement(head);
  }
}

function readAcknowledgement({ bytes, start, texts }: FrameHead): ClientFrame {
  const [from, to] = texts[0]!;
  return {
    kind: 'acknowledgement',
    acknowledgement: {
      database: readName(bytes, from, to),
      received: readU64be(bytes, start + 4) as Txid,
      durable: readPosition(bytes, start + 12),
      applied: readPosition(bytes, start + 12 + POSITION_BYTES),
    },
  };
}
