import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { encodeDelete, encodeInvalEntry, encodeInvalInode, encodeStore } from './notifications.ts';
import { OPCODE, opcodeName } from './opcode.ts';
import { formatNotification, formatReply, formatRequestBytes } from './trace.ts';

const GOLDEN = new URL('./testdata/kernel-6.18.txt', import.meta.url);

interface Message {
  readonly direction: '>' | '<';
  readonly bytes: Uint8Array;
  /** Of the request; of a reply, that of the request before it. */
  readonly opcode: number;
  readonly line: string;
}

function readGolden(): Message[] {
  const lines = readFileSync(GOLDEN, 'utf8').trimEnd().split('\n');
  const messages: Message[] = [];
  const opcodes = new Map<bigint, number>();
  for (let index = 0; index < lines.length; index += 2) {
    const direction = lines[index]!.startsWith('>') ? '>' : '<';
    const bytes = new Uint8Array(Buffer.from(lines[index]!.slice(2), 'hex'));
    const view = new DataView(bytes.buffer);
    const unique = view.getBigUint64(8, true);
    if (direction === '>') opcodes.set(unique, view.getUint32(4, true));
    messages.push({ direction, bytes, opcode: opcodes.get(unique)!, line: lines[index + 1]! });
  }
  return messages;
}

const golden = readGolden();

function format({ direction, bytes, opcode }: Message): string {
  return direction === '>' ? formatRequestBytes(bytes) : formatReply(opcode, bytes, bytes.length);
}

/** A request made by hand, for what a kernel does not send to a mount like ours. */
function request(opcode: number, body: readonly number[] = []): Uint8Array {
  const bytes = new Uint8Array(40 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint32(4, opcode, true);
  view.setBigUint64(8, 42n, true);
  view.setBigUint64(16, 7n, true);
  bytes.set(body, 40);
  return bytes;
}

function u32s(...words: readonly number[]): number[] {
  return [...new Uint8Array(Uint32Array.from(words).buffer)];
}

describe('trace of messages that a kernel exchanged', () => {
  if (process.env['UPDATE_GOLDEN'] === '1') {
    const text = golden.map((message) => {
      const hex = Buffer.from(message.bytes).toString('hex');
      return `${message.direction} ${hex}\n${format(message)}\n`;
    });
    writeFileSync(GOLDEN, text.join(''));
  }

  for (const [index, message] of golden.entries()) {
    test(`${index}: ${message.line.trim()}`, () => {
      assert.equal(format(message), message.line);
    });
  }
});

describe('formatRequestBytes()', () => {
  const HANDMADE: Readonly<Record<string, readonly [Uint8Array, string]>> = {
    BMAP: [request(OPCODE.BMAP, u32s(5, 0, 512, 0)), 'BMAP #42 node=7 block=5 blocksize=512'],
    DESTROY: [request(OPCODE.DESTROY), 'DESTROY #42 node=7'],
    NOTIFY_REPLY: [
      request(OPCODE.NOTIFY_REPLY, [...u32s(0, 0, 4096, 0, 3, 0, 0, 0, 0, 0), 1, 2, 3]),
      'NOTIFY_REPLY #42 node=7 fh=0 offset=4096 size=3',
    ],
    COPY_FILE_RANGE: [
      request(OPCODE.COPY_FILE_RANGE, u32s(1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 0, 0)),
      'COPY_FILE_RANGE #42 node=7 fh_in=1 off_in=2 node_out=3 fh_out=4 off_out=5 len=6',
    ],
    SETUPMAPPING: [request(OPCODE.SETUPMAPPING, u32s(1, 2)), 'SETUPMAPPING #42 node=7'],
    REMOVEMAPPING: [request(OPCODE.REMOVEMAPPING, u32s(1)), 'REMOVEMAPPING #42 node=7'],
    SYNCFS: [request(OPCODE.SYNCFS, u32s(0, 0)), 'SYNCFS #42 node=7'],
    unknown: [request(99, u32s(1, 2)), 'OPCODE_99 #42 node=7'],
  };

  for (const [name, [bytes, line]] of Object.entries(HANDMADE)) {
    test(`shows ${name}`, () => {
      assert.equal(formatRequestBytes(bytes), line);
    });
  }

  test('has been shown every opcode by now', () => {
    const seen = new Set([
      ...golden.map(({ opcode }) => opcodeName(opcode)),
      ...Object.keys(HANDMADE),
    ]);
    assert.deepEqual(
      Object.keys(OPCODE).filter((name) => !seen.has(name)),
      [],
    );
  });

  test('shows a unique and a node beyond 32 bits', () => {
    const bytes = request(OPCODE.STATFS);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(8, 2n ** 63n + 2n, true);
    view.setBigUint64(16, 2n ** 40n, true);
    assert.equal(formatRequestBytes(bytes), `STATFS #${2n ** 63n + 2n} node=${2 ** 40}`);
  });

  test('says what is wrong with a message that cannot be read', () => {
    assert.equal(formatRequestBytes(new Uint8Array(39)), 'Request of only 39 bytes');
    assert.match(formatRequestBytes(request(OPCODE.WRITE)), /^WRITE #42 node=7 \(.*expected 40\)$/);
    assert.match(formatRequestBytes(request(OPCODE.LOOKUP, [97])), /name does not end/);
    assert.match(formatRequestBytes(request(OPCODE.LOOKUP, [0xff, 0])), /not UTF-8/);
    const short = request(OPCODE.WRITE, u32s(1, 0, 0, 0, 100, 0, 0, 0, 0, 0));
    assert.match(formatRequestBytes(short), /of 40 bytes after its header, expected 140/);
    const batch = request(OPCODE.BATCH_FORGET, u32s(0xffffffff, 0));
    assert.match(formatRequestBytes(batch), /expected 68719476728/);
  });

  test('makes one line of any message, cut short anywhere and with any byte changed', () => {
    const requests = golden.filter(({ direction }) => direction === '>');
    const mutated = fc.record({
      message: fc.constantFrom(...requests),
      cut: fc.double({ min: 0, max: 1, noNaN: true }),
      at: fc.nat(),
      value: fc.nat(255),
    });
    fc.assert(
      fc.property(mutated, ({ message, cut, at, value }) => {
        const bytes = message.bytes.slice(0, Math.round(message.bytes.length * cut));
        if (bytes.length > 0) bytes[at % bytes.length] = value;
        const line = formatRequestBytes(bytes);
        assert.ok(line.length > 0 && !line.includes('\n'), line);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('formatReply()', () => {
  function reply(error: number, body: readonly number[] = []): Uint8Array {
    const bytes = Uint8Array.from([...u32s(16 + body.length, error, 42, 0), ...body]);
    return bytes;
  }

  test('shows an error by name', () => {
    assert.equal(formatReply(OPCODE.OPEN, reply(-13), 16), '  -> #42 EACCES');
    assert.equal(formatReply(OPCODE.OPEN, reply(-4000), 16), '  -> #42 E4000');
  });

  test('shows a backing id', () => {
    const bytes = reply(0, u32s(5, 0, 0x80, 3));
    assert.equal(
      formatReply(OPCODE.OPEN, bytes, bytes.length),
      '  -> #42 ok fh=5 flags=PASSTHROUGH backing=3',
    );
  });

  test('shows what the rare ones hold', () => {
    const line = (opcode: number, body: readonly number[]): string =>
      formatReply(opcode, reply(0, body), 16 + body.length);
    assert.equal(line(OPCODE.BMAP, u32s(9, 0)), '  -> #42 ok block=9');
    assert.equal(line(OPCODE.POLL, u32s(5, 0)), '  -> #42 ok revents=0x5');
    assert.equal(line(OPCODE.COPY_FILE_RANGE, u32s(6, 0)), '  -> #42 ok size=6');
    const statx = Array.from({ length: 72 }, () => 0);
    statx[18] = 4096;
    assert.equal(line(OPCODE.STATX, u32s(...statx)), '  -> #42 ok size=4096');
  });

  test('does not read past a reply that is too short for its opcode', () => {
    for (const opcode of Object.values(OPCODE)) {
      const line = formatReply(opcode, reply(0, [1, 2, 3, 4]), 20);
      assert.match(line, /^ {2}-> #42 ok( |$)/);
    }
  });
});

describe('formatNotification()', () => {
  test('shows every notification that can be sent', () => {
    assert.equal(
      formatNotification(encodeInvalInode(7, 4096, 100)),
      '  !! INVAL_INODE node=7 off=4096 len=100',
    );
    assert.equal(
      formatNotification(encodeInvalInode(7, -1, 0)),
      '  !! INVAL_INODE node=7 off=-1 len=0',
    );
    assert.equal(
      formatNotification(encodeInvalEntry(1, 'app.db')),
      '  !! INVAL_ENTRY parent=1 name=app.db',
    );
    assert.equal(
      formatNotification(encodeInvalEntry(1, 'a b', 1)),
      '  !! INVAL_ENTRY parent=1 name="a b" flags=EXPIRE_ONLY',
    );
    assert.equal(
      formatNotification(encodeDelete(1, 7, 'x')),
      '  !! DELETE parent=1 child=7 name=x',
    );
    assert.equal(
      formatNotification(encodeStore(7, 8192, new Uint8Array(10))),
      '  !! STORE node=7 offset=8192 size=10',
    );
  });

  test('shows the code of one that it does not know', () => {
    const bytes = encodeInvalInode(1, 0, 0);
    new DataView(bytes.buffer).setInt32(4, 77, true);
    assert.equal(formatNotification(bytes), '  !! CODE_77 size=24');
  });
});
