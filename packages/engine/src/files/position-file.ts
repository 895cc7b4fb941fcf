// `NAME-pos`: where a database stands, as LiteFS shows it. One line, `<TXID>/<checksum>`.

import { formatPosition } from '@skein/ltx';

import type { DatabaseState } from '../database/database-state.ts';
import { EngineError } from '../errors.ts';
import type { MountFile } from './mount-file.ts';

const LINE_BYTES = 34;

const utf8 = new TextEncoder();

export class PositionFile implements MountFile {
  readonly backing: undefined;
  /** Its content changes without anybody writing to it. */
  readonly bypassesCache = true;
  readonly wantsFlush = false;
  readonly sizeBytes: number = LINE_BYTES;
  readonly #state: () => DatabaseState;

  /** `state`: the one that readers of the database see. */
  constructor(state: () => DatabaseState) {
    this.#state = state;
  }

  opened(): void {}

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    const line = utf8.encode(`${formatPosition(this.#state())}\n`);
    const piece = line.subarray(position, position + length);
    into.set(piece, offset);
    return piece.length;
  }

  write(): never {
    throw new EngineError('OPERATION_NOT_SUPPORTED', 'Cannot write a position: it is read only');
  }

  truncate(): undefined {
    this.write();
  }

  sync(): undefined {
    return undefined;
  }

  flush(): undefined {
    return undefined;
  }

  release(): void {}
}
