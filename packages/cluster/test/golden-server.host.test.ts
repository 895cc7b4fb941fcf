// The server sends a LiteFS the bytes that LiteFS sends: captured streams (testdata/README.md) are
// compared with what our server sends for the same log.
//
// Compared are all bytes but the time in heartbeats, of the stream for a replica that stands at 3.
// Of a snapshot is compared what it contains: its bytes depend on how it is compressed and cut.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { bytesSource, LtxReader, maybeParsePosition, type Position } from '@skein/ltx';
import { onTestEnd, type TestScope } from '@skein/testkit';

import { AddressList } from '../src/auth/address-list.ts';
import type { PositionMap } from '../src/ports.ts';
import { FRAME_HEARTBEAT } from '../src/wire/frame-type.ts';
import { FrameWriter } from '../src/wire/frame-writer.ts';
import type { ServerFrame } from '../src/wire/frames.ts';
import { ServerDecoder } from '../src/wire/server-decoder.ts';
import { PATIENT, startPrimary } from './fixture.ts';
import { MemoryLog } from './memory-log.ts';

const testdata = join(import.meta.dirname, '..', 'testdata', 'litefs');
const ltxTestdata = join(import.meta.dirname, '..', '..', 'ltx', 'testdata', 'litefs');

const DATABASE = 'app.db';
const HEARTBEAT_BYTES = 12;

/** What the primary sends a LiteFS that stands there, up to and with its first heartbeat. */
async function capture(t: TestScope, memory: MemoryLog, from: PositionMap): Promise<Buffer> {
  const litefs = new AddressList(['127.0.0.1']);
  // The first heartbeat comes with the end of what there is: no second one may come beside it.
  const timing = { ...PATIENT, heartbeatMs: 60_000 };
  const { url } = await startPrimary(t, { memory, litefs, timing });
  const session = connect(url.origin);
  onTestEnd(t, () => session.destroy());
  const stream = session.request({
    ':method': 'POST',
    ':path': '/stream',
    'litefs-id': '00112233AABBCCDD',
  });
  const writer = new FrameWriter();
  writer.positionMap(from);
  stream.end(writer.take());
  const decoder = new ServerDecoder('litefs');
  const parts: Buffer[] = [];
  for await (const bytes of stream as AsyncIterable<Buffer>) {
    parts.push(bytes);
    if (decoder.push(bytes).some(({ kind }) => kind === 'heartbeat')) break;
  }
  return Buffer.concat(parts);
}

/** Up to the first heartbeat, without the time in it. */
function upToHeartbeat(stream: Buffer): Buffer {
  const type = Buffer.alloc(4);
  type.writeUInt32BE(FRAME_HEARTBEAT);
  const marker = Buffer.concat([Buffer.from([0, 0, 0, 2]), type]);
  return stream.subarray(0, stream.indexOf(marker) + marker.length);
}

function pagesOf(frames: readonly ServerFrame[]): unknown {
  const parts = frames.flatMap((frame) => (frame.kind === 'ltx-bytes' ? [frame.bytes] : []));
  const reader = new LtxReader(bytesSource(new Uint8Array(Buffer.concat(parts))));
  const pages: string[] = [];
  for (let page = reader.next(); page !== undefined; page = reader.next()) {
    pages.push(Buffer.from(page.bytes.subarray(page.start, page.end)).toString('hex'));
  }
  const { minTxid, maxTxid, commit, pageSize } = reader.header;
  return { minTxid, maxTxid, commit, pageSize, pages, trailer: reader.trailer.postApplyChecksum };
}

function kindsOf(frames: readonly ServerFrame[]): readonly string[] {
  const kinds = frames.map(({ kind }) => kind).filter((kind) => kind !== 'ltx-bytes');
  return kinds.slice(0, kinds.indexOf('heartbeat') + 1);
}

for (const name of readdirSync(testdata)) {
  describe(`for the log of LiteFS, ${name}, the server`, () => {
    const ltxFolder = join(ltxTestdata, name, 'ltx');

    function readLog(): MemoryLog {
      const memory = new MemoryLog();
      for (const file of readdirSync(ltxFolder).sort()) {
        memory.append(DATABASE, new Uint8Array(readFileSync(join(ltxFolder, file))));
      }
      return memory;
    }

    test('sends a replica that stands at 3 the same bytes', async (t) => {
      const { since_3: text } = JSON.parse(
        readFileSync(join(testdata, name, 'case.json'), { encoding: 'utf8' }),
      ) as { since_3: string };
      const from = new Map<string, Position>([[DATABASE, maybeParsePosition(text)!]]);
      const ours = await capture(t, readLog(), from);
      const theirs = readFileSync(join(testdata, name, 'stream-from-3.bin'));
      const expected = upToHeartbeat(theirs);
      assert.ok(expected.length > 4000);
      assert.ok(upToHeartbeat(ours).equals(expected));
      assert.equal(ours.length, expected.length + HEARTBEAT_BYTES - 4);
    });

    test('sends a new replica a snapshot of the same content, in the same frames', async (t) => {
      const ours = new ServerDecoder('litefs').push(await capture(t, readLog(), new Map()));
      const theirs = new ServerDecoder('litefs').push(
        readFileSync(join(testdata, name, 'stream-from-nothing.bin')),
      );
      assert.deepEqual(kindsOf(ours), kindsOf(theirs));
      assert.deepEqual(pagesOf(ours), pagesOf(theirs));
    });
  });
}
