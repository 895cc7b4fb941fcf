import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { toChecksum, toTxid } from '@skein/ltx';

import { ReplicationError } from '../errors.ts';
import { fuzzTargets } from '../fuzz-targets.ts';
import { ClientDecoder } from './client-decoder.ts';
import { FrameWriter } from './frame-writer.ts';
import type { ServerFrame } from './frames.ts';
import {
  DATABASE_COUNT_MAX,
  FILE_PIECE_BYTES_MAX,
  NAME_BYTES_MAX,
  TRANSACTION_BYTES_MAX,
} from './limits.ts';
import { type Dialect, ServerDecoder } from './server-decoder.ts';

const POSITION = { txid: toTxid(5), checksum: toChecksum(0x8f00000000000001n) };
const ZERO = { txid: toTxid(0), checksum: toChecksum(0n) };

/** What a fault of the peer is told as. */
function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ReplicationError, String(error));
    return error.code;
  }
  return undefined;
}

function write(fill: (writer: FrameWriter) => void): Uint8Array {
  const writer = new FrameWriter();
  fill(writer);
  return writer.take();
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function decode(bytes: Uint8Array, dialect: Dialect, pieceBytes = bytes.length): ServerFrame[] {
  const decoder = new ServerDecoder(dialect);
  const frames: ServerFrame[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    frames.push(...decoder.push(bytes.subarray(at, at + pieceBytes)));
  }
  decoder.finish();
  return frames;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

describe('FrameWriter', () => {
  test('writes a position map as LiteFS does, names in order', () => {
    const positions = new Map([
      ['db', POSITION],
      ['a', ZERO],
    ]);
    const expected =
      '00000002' +
      '0000000161' +
      '00000000000000000000000000000000' +
      '000000026462' +
      '00000000000000058f00000000000001';
    assert.equal(hex(write((writer) => writer.positionMap(positions))), expected);
  });

  test('writes the frames of LiteFS', () => {
    const cases: readonly (readonly [string, (writer: FrameWriter) => void])[] = [
      ['000000010000000000000000000000026462', (writer) => writer.ltx('db')],
      ['00020102', (writer) => writer.chunk(Uint8Array.of(1, 2))],
      ['0000', (writer) => writer.chunksEnd()],
      ['00000002', (writer) => writer.ready()],
      ['00000003', (writer) => writer.end()],
      ['00000004000000026462', (writer) => writer.dropDatabase('db')],
      ['00000005000000026964', (writer) => writer.handoff('id')],
      ['000000060000000000000005000000026462', (w) => w.highWaterMark('db', POSITION.txid)],
      ['00000007000001a206a2a3e8', (writer) => writer.heartbeat(0x1a206a2a3e8)],
    ];
    for (const [expected, fill] of cases) assert.equal(hex(write(fill)), expected);
  });

  test('hands out what was written once, and goes on with an array of its own', () => {
    const writer = new FrameWriter();
    writer.ready();
    const first = writer.take();
    writer.end();
    assert.equal(hex(first), '00000002');
    assert.equal(hex(writer.take()), '00000003');
    assert.equal(writer.take().length, 0);
  });
});

describe('ServerDecoder', () => {
  test('refuses frames of another dialect, and types that nobody knows', () => {
    const ltx = write((writer) => writer.ltx('db'));
    const transaction = write((writer) => writer.transaction('db', 1, Uint8Array.of(1)));
    assert.equal(
      codeOf(() => decode(ltx, 'skein')),
      'STREAM_MALFORMED',
    );
    assert.equal(
      codeOf(() => decode(transaction, 'litefs')),
      'STREAM_MALFORMED',
    );
    for (const dialect of ['litefs', 'skein'] as const) {
      assert.equal(
        codeOf(() => decode(new Uint8Array(4), dialect)),
        'STREAM_MALFORMED',
      );
      assert.equal(
        codeOf(() => decode(Buffer.from('HTTP'), dialect)),
        'STREAM_MALFORMED',
      );
    }
  });

  test('refuses a length that is too large before anything of it has come', () => {
    const view = new DataView(new ArrayBuffer(16));
    view.setUint32(0, 0x101);
    view.setUint32(8, 1);
    view.setUint32(12, TRANSACTION_BYTES_MAX + 1);
    const tooLarge = concat(new Uint8Array(view.buffer), Buffer.from('\0\0\0\x02db'));
    assert.equal(
      codeOf(() => decode(tooLarge, 'skein')),
      'STREAM_LIMIT',
    );

    const longName = Buffer.alloc(8);
    longName.writeUInt32BE(4);
    longName.writeUInt32BE(NAME_BYTES_MAX + 1, 4);
    assert.equal(
      codeOf(() => decode(longName, 'skein')),
      'STREAM_LIMIT',
    );

    const begin = write((writer) =>
      writer.fileBegin({ database: 'db', epoch: 1, id: 'a', offset: 0, position: POSITION }),
    );
    const piece = Buffer.alloc(8);
    piece.writeUInt32BE(0x103);
    piece.writeUInt32BE(FILE_PIECE_BYTES_MAX + 1, 4);
    assert.equal(
      codeOf(() => decode(concat(begin, piece), 'skein')),
      'STREAM_LIMIT',
    );
  });

  test('refuses names that would lead out of a folder or are no text', () => {
    for (const name of ['', '.', '..', 'a/b', '../a', 'a\0b', 'a\nb']) {
      const frame = write((writer) => writer.dropDatabase(name));
      assert.equal(
        codeOf(() => decode(frame, 'skein')),
        'STREAM_MALFORMED',
        JSON.stringify(name),
      );
    }
    const notUtf8 = write((writer) => writer.dropDatabase('ab'));
    notUtf8[notUtf8.length - 1] = 0xff;
    assert.equal(
      codeOf(() => decode(notUtf8, 'skein')),
      'STREAM_MALFORMED',
    );
  });

  test('refuses parts of files outside of one, and other frames inside', () => {
    const begin = write((writer) =>
      writer.fileBegin({ database: 'db', epoch: 1, id: 'a', offset: 0, position: POSITION }),
    );
    const fileEnd = write((writer) => writer.fileEnd());
    const piece = write((writer) => writer.filePiece(Uint8Array.of(1)));
    const ready = write((writer) => writer.ready());
    for (const bytes of [fileEnd, piece, concat(begin, begin), concat(begin, ready)]) {
      assert.equal(
        codeOf(() => decode(bytes, 'skein')),
        'STREAM_MALFORMED',
      );
    }
    const heartbeat = write((writer) => writer.heartbeat(1));
    const kinds = decode(concat(begin, heartbeat, piece, heartbeat, fileEnd), 'skein');
    assert.deepEqual(
      kinds.map(({ kind }) => kind),
      ['file-begin', 'heartbeat', 'file-bytes', 'heartbeat', 'file-end'],
    );
  });

  test('tells a stream that is cut off from one that ended', () => {
    for (const { seeds, name } of fuzzTargets.slice(0, 2)) {
      const dialect = name === 'stream-litefs' ? 'litefs' : 'skein';
      for (const bytes of seeds()) {
        const whole = decode(bytes, dialect);
        for (let length = 1; length < bytes.length; length += 1) {
          const cut = bytes.subarray(0, length);
          const code = codeOf(() => assert.ok(decode(cut, dialect).length < whole.length));
          assert.ok(code === undefined || code === 'STREAM_TRUNCATED');
        }
        assert.equal(
          codeOf(() => decode(concat(bytes, Uint8Array.of(0, 0, 0, 2)), dialect)),
          'STREAM_MALFORMED',
        );
      }
    }
  });

  test('takes memory for a transaction as it comes', () => {
    const decoder = new ServerDecoder('skein');
    const head = write((writer) => writer.transactionHead('db', 1, TRANSACTION_BYTES_MAX));
    const before = process.memoryUsage().arrayBuffers;
    decoder.push(head);
    decoder.push(new Uint8Array(10));
    assert.ok(process.memoryUsage().arrayBuffers - before < 1024 * 1024);
  });

  test('gives the bytes of a transaction without a copy where they came in one piece', () => {
    const bytes = write((writer) => writer.transaction('db', 1, new Uint8Array(5000).fill(7)));
    const [frame] = new ServerDecoder('skein').push(bytes);
    assert.ok(frame?.kind === 'transaction');
    assert.equal(frame.transaction.bytes.buffer, bytes.buffer);
  });
});

describe('ClientDecoder', () => {
  test('refuses maps that are too large, have a name twice or a position that is none', () => {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(DATABASE_COUNT_MAX + 1);
    assert.equal(
      codeOf(() => new ClientDecoder('skein').push(count)),
      'STREAM_LIMIT',
    );
    const entry = write((writer) => writer.positionMap(new Map([['db', POSITION]]))).subarray(4);
    const twice = concat(Uint8Array.of(0, 0, 0, 2), entry, entry);
    assert.equal(
      codeOf(() => new ClientDecoder('skein').push(twice)),
      'STREAM_MALFORMED',
    );
    const wrong = concat(Uint8Array.of(0, 0, 0, 1), entry);
    wrong[wrong.length - 8] = 0x7f;
    assert.equal(
      codeOf(() => new ClientDecoder('skein').push(wrong)),
      'STREAM_MALFORMED',
    );
  });

  test('takes nothing but the map from a LiteFS', () => {
    const map = write((writer) => writer.positionMap(new Map()));
    const decoder = new ClientDecoder('litefs');
    decoder.push(map);
    assert.equal(decoder.positions?.size, 0);
    assert.equal(
      codeOf(() => decoder.push(Uint8Array.of(0))),
      'STREAM_MALFORMED',
    );
  });
});

/** Frames that the decoder gives in any pieces: what belongs together is put together. */
function joined(frames: readonly ServerFrame[]): unknown[] {
  const result: unknown[] = [];
  let bytes: number[] = [];
  for (const frame of frames) {
    if (frame.kind === 'ltx-bytes' || frame.kind === 'file-bytes') {
      bytes.push(...frame.bytes);
      continue;
    }
    if (bytes.length > 0) result.push(hex(Uint8Array.from(bytes)));
    bytes = [];
    result.push(
      frame.kind === 'transaction'
        ? { ...frame.transaction, bytes: hex(frame.transaction.bytes) }
        : frame,
    );
  }
  return result;
}

describe('frames', () => {
  test('are the same in whatever pieces they come', () => {
    for (const { seeds, name } of fuzzTargets.slice(0, 2)) {
      const dialect = name === 'stream-litefs' ? 'litefs' : 'skein';
      for (const bytes of seeds()) {
        const whole = joined(decode(bytes, dialect));
        for (let pieceBytes = 1; pieceBytes <= bytes.length; pieceBytes += 1) {
          assert.deepEqual(joined(decode(bytes, dialect, pieceBytes)), whole, String(pieceBytes));
        }
      }
    }
  });

  test('come out as they were written', () => {
    const name = fc
      .string({ minLength: 1, maxLength: 60, unit: 'grapheme' })
      .filter(
        (text) =>
          !/[\p{Control}/]/u.test(text) &&
          text !== '.' &&
          text !== '..' &&
          text.isWellFormed() &&
          Buffer.byteLength(text) <= NAME_BYTES_MAX,
      );
    const transaction = fc.record({
      database: name,
      epoch: fc.maxSafeNat(),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 3000 }),
    });
    fc.assert(
      fc.property(
        fc.array(transaction, { maxLength: 10 }),
        fc.integer({ min: 1, max: 5000 }),
        (transactions, pieceBytes) => {
          const bytes = write((writer) => {
            for (const each of transactions)
              writer.transaction(each.database, each.epoch, each.bytes);
          });
          const found = decode(bytes, 'skein', pieceBytes).map((frame) => {
            assert.ok(frame.kind === 'transaction');
            return { ...frame.transaction, bytes: Uint8Array.from(frame.transaction.bytes) };
          });
          assert.deepEqual(
            found,
            transactions.map((each) => ({ ...each })),
          );
        },
      ),
    );
  });

  test('that are changed in one byte decode, or give the format error', () => {
    for (const { seeds, decode, isFormatError } of fuzzTargets) {
      for (const changed of seeds().flatMap(changedInOneByte)) {
        try {
          decode(changed);
        } catch (error) {
          assert.ok(isFormatError(error), String(error));
        }
      }
    }
  });
});

function changedInOneByte(bytes: Uint8Array): Uint8Array[] {
  return [...bytes.keys()].flatMap((at) =>
    [0, 1, 0x7f, 0x80, 0xff].map((value) => bytes.with(at, value)),
  );
}
