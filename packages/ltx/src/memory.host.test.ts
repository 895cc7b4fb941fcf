// Memory does not grow with the file: a snapshot of any size goes through in pieces.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { LtxDecoder } from './decoder.ts';
import { LtxEncoder } from './encoder.ts';
import { makeHeader } from './header.ts';
import { SAMPLE_FORMATS, type SampleFormat, samplePage } from './sample-files.ts';
import { toTxid } from './txid.ts';

const PAGE_SIZE = 4096;
const PAGE_COUNT = 40_000;
/** Some garbage of the engine that is not collected yet, far less than the file's 160 MB. */
const GROWTH_BYTES_MAX = 64 << 20;

const PAGE = samplePage(PAGE_SIZE, 1);

/** Encodes a snapshot of 160 MB into the sink. */
function encodeLarge(
  format: SampleFormat,
  sink: (bytes: Uint8Array, start: number, end: number) => void,
): void {
  const encoder = new LtxEncoder(
    sink,
    makeHeader({
      flags: format.flags,
      pageSize: PAGE_SIZE,
      commit: PAGE_COUNT,
      minTxid: toTxid(1),
      maxTxid: toTxid(1),
    }),
    format.version,
  );
  for (let pgno = 1; pgno <= PAGE_COUNT; pgno += 1) encoder.writePage(pgno, PAGE);
  encoder.finish(encoder.pagesChecksum);
}

/** Fails when memory outside of the heap and on it grows by more than a few pieces. */
class MemoryWatch {
  readonly #start = MemoryWatch.#used();
  #calls = 0;

  static #used(): number {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  }

  look(): void {
    this.#calls += 1;
    if (this.#calls % 4096 !== 0) return;
    const growth = MemoryWatch.#used() - this.#start;
    assert.ok(growth < GROWTH_BYTES_MAX, `memory grew by ${growth} bytes`);
  }
}

describe('memory', () => {
  for (const format of SAMPLE_FORMATS.slice(0, 3)) {
    test(`stays bounded while a snapshot is encoded and decoded, ${format.name}`, () => {
      const watch = new MemoryWatch();
      let pageCount = 0;
      const decoder = new LtxDecoder({
        onHeader() {},
        onPage() {
          pageCount += 1;
          watch.look();
        },
        onTrailer() {},
      });
      encodeLarge(format, (bytes, start, end) => decoder.push(bytes, start, end));
      decoder.finish();
      assert.equal(pageCount, PAGE_COUNT);
    });
  }
});
