// Streams of a real LiteFS: see testdata/README.md. That the server sends the same bytes is tested
// in test/golden-server.host.test.ts.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { bytesSource, inspectLtx, type LtxSummary } from '@skein/ltx';

import type { ServerFrame } from './frames.ts';
import { ServerDecoder } from './server-decoder.ts';

const testdata = join(import.meta.dirname, '..', '..', 'testdata', 'litefs');
const ltxTestdata = join(import.meta.dirname, '..', '..', '..', 'ltx', 'testdata', 'litefs');

function read(...path: string[]): Uint8Array {
  return new Uint8Array(readFileSync(join(...path)));
}

function decode(bytes: Uint8Array, pieceBytes: number): ServerFrame[] {
  const decoder = new ServerDecoder('litefs');
  const frames: ServerFrame[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    frames.push(...decoder.push(bytes.subarray(at, at + pieceBytes)));
  }
  decoder.finish();
  return frames;
}

function ltxFilesIn(frames: readonly ServerFrame[]): Buffer[] {
  const files: Buffer[] = [];
  for (const frame of frames) {
    if (frame.kind === 'ltx-begin') files.push(Buffer.alloc(0));
    if (frame.kind === 'ltx-bytes') files.push(Buffer.concat([files.pop()!, frame.bytes]));
  }
  return files;
}

function kindsOf(frames: readonly ServerFrame[]): string[] {
  return frames.map(({ kind }) => kind).filter((kind) => kind !== 'ltx-bytes');
}

function inspect(file: Uint8Array): LtxSummary {
  return inspectLtx(bytesSource(file), { version: 1 });
}

for (const name of readdirSync(testdata)) {
  describe(`LiteFS, ${name}`, () => {
    const ltxFolder = join(ltxTestdata, name, 'ltx');
    const ltxNames = readdirSync(ltxFolder).sort();

    test('sends a replica that stands at 3 the transactions from 4 on, byte for byte', () => {
      const bytes = read(testdata, name, 'stream-from-3.bin');
      for (const pieceBytes of [1, 7, 1000, bytes.length]) {
        const frames = decode(bytes, pieceBytes);
        const expected = ltxNames.slice(3).map((file) => read(ltxFolder, file));
        const found = ltxFilesIn(frames);
        assert.equal(found.length, expected.length);
        found.forEach((file, index) => assert.ok(file.equals(expected[index]!)));
        const each = ['ltx-begin', 'ltx-end', 'high-water-mark'];
        const end = ['ready', 'heartbeat', 'heartbeat'];
        assert.deepEqual(kindsOf(frames), [...expected.flatMap(() => each), ...end]);
      }
    });

    test('sends a new replica one snapshot of all', () => {
      const frames = decode(read(testdata, name, 'stream-from-nothing.bin'), 11);
      const end = ['ltx-begin', 'ltx-end', 'ready', 'heartbeat', 'heartbeat'];
      assert.deepEqual(kindsOf(frames), end);
      const { header, trailer } = inspect(ltxFilesIn(frames)[0]!);
      const last = inspect(read(ltxFolder, ltxNames.at(-1)!));
      assert.equal(header.minTxid, 1n);
      assert.equal(header.maxTxid, last.header.maxTxid);
      assert.equal(trailer.postApplyChecksum, last.trailer.postApplyChecksum);
    });
  });
}
