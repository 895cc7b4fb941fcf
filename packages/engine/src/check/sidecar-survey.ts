// The sidecar of a database under survey: which of its blocks can be relied upon.

import {
  blockBytes,
  CHECKSUM_BLOCK_BYTES,
  checksumBlockOf,
  checksumSlotOf,
  isChecksumBlockIntact,
  isChecksumHeader,
  newChecksumBlock,
} from '../pages/checksum-block.ts';
import type { SurveyFile } from './survey-file.ts';

export class SidecarSurvey {
  readonly #file: SurveyFile | undefined;
  readonly #block = newChecksumBlock();
  #number = -1;
  #isIntact = false;
  /** Whether the header is right; without it nothing else counts. */
  readonly hasHeader: boolean;

  /** `file` is undefined when there is none. */
  constructor(file: SurveyFile | undefined, pageSize: number) {
    this.#file = file;
    this.hasHeader = this.#read(0) && isChecksumHeader(this.#block, pageSize);
  }

  get exists(): boolean {
    return this.#file !== undefined;
  }

  /** Whether the block that holds the checksum of this page is right. Asked page after page. */
  covers(pgno: number): boolean {
    const number = checksumBlockOf(pgno);
    if (number !== this.#number) {
      this.#isIntact =
        this.hasHeader && this.#read(number) && isChecksumBlockIntact(number, this.#block);
      this.#number = number;
    }
    return this.#isIntact;
  }

  /** Upper half of a page's checksum, if covers(). */
  hi(pgno: number): number {
    return this.#block[checksumSlotOf(pgno) + 1]!;
  }

  lo(pgno: number): number {
    return this.#block[checksumSlotOf(pgno)]!;
  }

  #read(number: number): boolean {
    const position = number * CHECKSUM_BLOCK_BYTES;
    const bytes = blockBytes(this.#block);
    return this.#file?.read('check.read', bytes, 0, bytes.length, position) === bytes.length;
  }
}
