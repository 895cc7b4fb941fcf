import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { bytesSource, readU32be, sourceFrom } from '@skein/bytes';

import { HEADER_SIZE } from './header.ts';
import { inspectLtx } from './inspect.ts';
import { rawFileSize } from './page-block.ts';
import { SAMPLE_FORMATS, concat, encodeSample } from './sample-files.ts';

const sample = { txid: 5, commit: 9, pgnos: [2, 3, 9] };

describe('inspectLtx()', () => {
  for (const format of SAMPLE_FORMATS) {
    test(`lists where the pages are, ${format.name}`, () => {
      const file = encodeSample(format, sample);
      const frames: (readonly [pgno: number, start: number, end: number])[] = [];
      const summary = inspectLtx(bytesSource(file), {}, ({ pgno, frameStart, frameEnd }) => {
        frames.push([pgno, frameStart, frameEnd]);
      });
      assert.equal(summary.pageCount, 3);
      assert.equal(summary.version, format.version);
      assert.equal(summary.sizeBytes, file.length);
      let end = HEADER_SIZE;
      for (const [pgno, frameStart, frameEnd] of frames) {
        assert.equal(frameStart, end);
        end = frameEnd;
        if (!format.name.includes('LZ4')) assert.equal(readU32be(file, frameStart), pgno);
      }
      if (format.version === 1) assert.equal(end, rawFileSize(3, 512) - 20);
    });

    test(`finds the end of a file inside of a larger one, ${format.name}`, () => {
      const file = encodeSample(format, sample);
      const source = sourceFrom(bytesSource(concat([file, file, file])), file.length);
      assert.equal(inspectLtx(source).sizeBytes, file.length);
    });
  }
});
