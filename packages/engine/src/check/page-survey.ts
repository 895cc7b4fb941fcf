// Compares every page of a database file with what the log and the sidecar say of it.
//
// What the log has of a page counts; else what the sidecar has, whose blocks carry a CRC; else the
// page itself. Whether that is right as a whole is told by the exclusive-or over all pages, which
// the log has too: so nothing is taken for repaired that is not.

import { Crc64 } from '@skein/bytes';
import { type Checksum, DatabaseChecksum } from '@skein/ltx';
import { lockPgno } from '@skein/sqlite-file';

import { checksumBlockOf } from '../pages/checksum-block.ts';
import { isLaterCounter, maybeChangeCounter } from '../recovery/first-page.ts';
import { findBitByCrc, type FlippedBit } from '../recovery/flipped-bit.ts';
import type { LoggedDatabase } from './logged-database.ts';
import { PageSet } from './page-sum-map.ts';
import type { SidecarSurvey } from './sidecar-survey.ts';
import type { SurveyFile } from './survey-file.ts';

export interface PageSurveyOptions {
  readonly logged: LoggedDatabase;
  readonly pageSize: number;
  readonly pageCount: number;
  /** Undefined when there is no database file. */
  readonly file: SurveyFile | undefined;
  readonly sidecar: SidecarSurvey;
}

/** A page that is not what the sidecar says, and that the log does not have. */
export interface SuspectPage {
  readonly pgno: number;
  /** The bit that makes it right, if one does. */
  readonly bit: FlippedBit | undefined;
}

export interface PageSurvey {
  /** Pages of which the file has another version than the log: damaged, or not yet replayed. */
  readonly stale: PageSet;
  /** Those of them that no start would replay, ascending. */
  readonly damaged: readonly number[];
  readonly suspects: readonly SuspectPage[];
  /** Numbers of sidecar blocks that are damaged, though no start would make them anew. */
  readonly brokenBlocks: readonly number[];
  /** The first page is of a later transaction than any in the log. */
  readonly isAhead: boolean;
  /** Of all pages, when suspects are right as they are. */
  readonly checksumAsIs: Checksum;
  /** Of all pages, when suspects are what the sidecar says. */
  readonly checksumAsSidecar: Checksum;
}

const RUN_BYTES = 1024 * 1024;

export function surveyPages(options: PageSurveyOptions): PageSurvey {
  const { pageSize, pageCount, file } = options;
  const survey = new Comparison(options);
  const lock = lockPgno(pageSize);
  const run = new Uint8Array(RUN_BYTES);
  const pagesPerRun = RUN_BYTES / pageSize;
  for (let first = 1; first <= pageCount; first += pagesPerRun) {
    const length = Math.min(pagesPerRun, pageCount - first + 1) * pageSize;
    const position = (first - 1) * pageSize;
    const count = file?.read('check.read', run, 0, length, position) ?? 0;
    // A page that the file does not reach is read as zeros.
    run.fill(0, count, length);
    for (let at = 0; at < length; at += pageSize) {
      const pgno = first + at / pageSize;
      if (pgno !== lock) survey.compare(pgno, run.subarray(at, at + pageSize));
    }
  }
  return survey.finish();
}

class Comparison {
  readonly #options: PageSurveyOptions;
  readonly #crc = new Crc64();
  readonly #asIs = new DatabaseChecksum();
  readonly #asSidecar = new DatabaseChecksum();
  readonly #stale = new PageSet();
  readonly #damaged: number[] = [];
  readonly #suspects: SuspectPage[] = [];
  readonly #brokenBlocks: number[] = [];
  #isAhead = false;

  constructor(options: PageSurveyOptions) {
    this.#options = options;
  }

  compare(pgno: number, page: Uint8Array): void {
    const { sums, pending } = this.#options.logged;
    const { sidecar } = this.#options;
    const crc = this.#crc;
    crc.reset();
    crc.updateU32be(pgno);
    crc.update(page);
    const { lo } = crc;
    const hi = (crc.hi | 0x8000_0000) >>> 0;
    const isPending = pending.has(pgno);
    const isCovered = sidecar.covers(pgno);
    if (!isCovered && !isPending) this.#reportBlock(pgno);
    if (pgno === 1) this.#isAhead = this.#isLater(page);
    if (sums.has(pgno)) {
      this.#addLogged(pgno, hi, lo);
      // A page of the log tells of a sidecar block that is whole, but of another time.
      const differs = sidecar.hi(pgno) !== sums.hi(pgno) || sidecar.lo(pgno) !== sums.lo(pgno);
      if (isCovered && !isPending && differs) this.#reportBlock(pgno);
    } else if (isCovered && (sidecar.hi(pgno) !== hi || sidecar.lo(pgno) !== lo)) {
      this.#suspect(pgno, page.length, hi, lo);
    } else {
      this.#asIs.toggle(hi, lo);
      this.#asSidecar.toggle(hi, lo);
    }
  }

  finish(): PageSurvey {
    return {
      stale: this.#stale,
      damaged: this.#damaged,
      suspects: this.#suspects,
      brokenBlocks: this.#brokenBlocks,
      isAhead: this.#isAhead,
      checksumAsIs: this.#asIs.value,
      checksumAsSidecar: this.#asSidecar.value,
    };
  }

  #isLater(page: Uint8Array): boolean {
    return isLaterCounter(maybeChangeCounter(page), this.#options.logged.changeCounter);
  }

  #addLogged(pgno: number, hi: number, lo: number): void {
    const { sums, pending } = this.#options.logged;
    const rightHi = sums.hi(pgno);
    const rightLo = sums.lo(pgno);
    this.#asIs.toggle(rightHi, rightLo);
    this.#asSidecar.toggle(rightHi, rightLo);
    if (rightHi === hi && rightLo === lo) return;
    this.#stale.add(pgno);
    if (!pending.has(pgno)) this.#damaged.push(pgno);
  }

  #suspect(pgno: number, pageSize: number, hi: number, lo: number): void {
    const { sidecar } = this.#options;
    const rightHi = sidecar.hi(pgno);
    const rightLo = sidecar.lo(pgno);
    this.#asIs.toggle(hi, lo);
    this.#asSidecar.toggle(rightHi, rightLo);
    const bit = findBitByCrc(hi ^ rightHi, lo ^ rightLo, pageSize);
    this.#suspects.push({ pgno, bit });
  }

  #reportBlock(pgno: number): void {
    const number = checksumBlockOf(pgno);
    if (this.#brokenBlocks.at(-1) !== number) this.#brokenBlocks.push(number);
  }
}
