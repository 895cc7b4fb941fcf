import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';

import { ERRNO } from '@skein/host';
import * as fc from 'fast-check';

import { createDispatcher } from './dispatch.ts';
import type { FuseHandler } from './handler.ts';
import { type EmptyReply, Reply, type ReplySink, type WriteReply } from './reply.ts';
import { OPCODE, OPCODE_END, type OpcodeName, takesReply } from './wire/opcode.ts';
import { FuseRequest, IN_HEADER_BYTES, RequestBuffer } from './wire/request-buffer.ts';
import { formatReply } from './wire/trace.ts';
import type { EntryOut } from './wire/structs.ts';

/** Remembers what was sent, in the words of the trace. */
class RecordingSink implements ReplySink {
  heldCount = 0;
  readonly lines: string[] = [];

  send(bytes: Uint8Array, length: number, opcode: number): void {
    assert.equal(new DataView(bytes.buffer).getUint32(0, true), length);
    this.lines.push(formatReply(opcode, bytes, length).trim());
  }
}

const ZERO_ATTR = { ino: 1, size: 0, blocks: 0, mode: 0o100644, nlink: 1, blksize: 4096 };
const NO_TIMES = { atime: 0, mtime: 0, ctime: 0, atimensec: 0, mtimensec: 0, ctimensec: 0 };
const ENTRY: EntryOut = {
  nodeid: 5,
  generation: 0,
  attr: { ...ZERO_ATTR, ...NO_TIMES, uid: 0, gid: 0, rdev: 0 },
  entryValidMs: 0,
  attrValidMs: 0,
};

const words = (...values: readonly number[]): Uint8Array =>
  new Uint8Array(Uint32Array.from(values).buffer);
const text = (value: string): Uint8Array => Buffer.from(value);

let sink = new RecordingSink();
let errors: unknown[] = [];
let unique = 0;

beforeEach(() => {
  sink = new RecordingSink();
  errors = [];
  unique = 0;
});

/** A dispatcher with a handler; `send` gives it one message after the other. */
function serve(handler: FuseHandler, handlerError = (error: unknown) => void errors.push(error)) {
  const buffer = new RequestBuffer(8192);
  const reply = Reply.reusable(sink, 4096);
  const dispatch = createDispatcher({
    buffer,
    reply,
    handler,
    init: (_request, initReply) => initReply.ok(),
    received: () => {},
    handlerError,
  });
  return (opcode: OpcodeName | number, body: Uint8Array = new Uint8Array(128)): void => {
    unique += 2;
    buffer.length = IN_HEADER_BYTES + body.length;
    buffer.view.setUint32(0, buffer.length, true);
    buffer.view.setUint32(4, typeof opcode === 'number' ? opcode : OPCODE[opcode], true);
    buffer.view.setUint32(8, unique, true);
    buffer.bytes.set(body, IN_HEADER_BYTES);
    dispatch();
  };
}

describe('requests without a method', () => {
  test('are answered ENOSYS, but for those that may simply succeed or take no answer', () => {
    const send = serve({});
    const answers = new Map<string, readonly string[]>();
    for (const name of Object.keys(OPCODE) as OpcodeName[]) {
      sink.lines.length = 0;
      send(name);
      answers.set(name, [...sink.lines]);
    }
    const silent = ['FORGET', 'BATCH_FORGET', 'NOTIFY_REPLY'];
    const succeeding = ['RELEASE', 'RELEASEDIR', 'DESTROY', 'INIT'];
    for (const [name, lines] of answers) {
      if (silent.includes(name)) assert.deepEqual(lines, [], name);
      else if (succeeding.includes(name)) assert.match(lines.join(), /ok$/, name);
      else assert.match(lines.join(), /^-> #\d+ ENOSYS$/, name);
    }
    assert.deepEqual(errors, []);
  });

  test('an opcode that is newer than this package is answered ENOSYS', () => {
    serve({})(200);
    assert.deepEqual(sink.lines, ['-> #2 ENOSYS']);
  });
});

describe('requests with a method', () => {
  test('reach it with the view of their opcode and are answered under their unique', () => {
    const seen: string[] = [];
    const send = serve({
      lookup: (request, reply) => {
        seen.push(request.name);
        reply.entry(ENTRY);
      },
      write: ({ fh, offset, size }, reply) => {
        seen.push(`${fh} ${offset} ${size}`);
        reply.written(size);
      },
    });
    send('LOOKUP', text('app.db\0'));
    send('WRITE', Buffer.concat([words(1, 0, 4096, 0, 3, 0, 0, 0, 0, 0), text('abc')]));
    assert.deepEqual(seen, ['app.db', '1 4096 3']);
    assert.deepEqual(sink.lines, [
      '-> #2 ok node=5 size=0 mode=100644 valid=0s attr_valid=0s',
      '-> #4 ok size=3',
    ]);
  });

  test('every method of the interface is called for its opcode', () => {
    const called: string[] = [];
    const handler = new Proxy<FuseHandler>(
      {},
      {
        get: (_target, method: string) => (_request: unknown, reply: Reply | undefined) => {
          called.push(method);
          if (reply instanceof Reply && method !== 'interrupt') reply.ok();
        },
      },
    );
    const send = serve(handler);
    const left = ['INIT', 'STATX', 'POLL', 'BMAP', 'SETUPMAPPING', 'REMOVEMAPPING', 'NOTIFY_REPLY'];
    for (const name of Object.keys(OPCODE) as OpcodeName[]) {
      if (left.includes(name)) continue;
      called.length = 0;
      const body = new Uint8Array(128);
      if (name === 'BATCH_FORGET') body[0] = 1;
      send(name, body);
      const method = name
        .toLowerCase()
        .replace('batch_forget', 'forget')
        .replace(/^copy_file_range(_64)?$/, 'copyFileRange');
      assert.deepEqual(called, [method], name);
    }
    assert.deepEqual(errors, []);
  });

  test('keep their `this`', () => {
    class Counter implements FuseHandler {
      #count = 0;
      fsync(_request: unknown, reply: EmptyReply): void {
        this.#count += 1;
        reply.error(this.#count);
      }
    }
    const send = serve(new Counter());
    send('FSYNC');
    send('FSYNC');
    assert.deepEqual(sink.lines, ['-> #2 EPERM', '-> #4 ENOENT']);
  });

  test('BATCH_FORGET calls forget() for every pair', () => {
    const forgotten: number[][] = [];
    const send = serve({ forget: (nodeid, nlookup) => forgotten.push([nodeid, nlookup]) });
    send('BATCH_FORGET', words(2, 0, 5, 0, 1, 0, 6, 0, 2, 0));
    assert.deepEqual(forgotten, [
      [5, 1],
      [6, 2],
    ]);
    assert.deepEqual(sink.lines, []);
  });

  test('INTERRUPT with a method takes no answer', () => {
    const interrupted: number[] = [];
    serve({ interrupt: ({ interruptedLo }) => interrupted.push(interruptedLo) })(
      'INTERRUPT',
      words(8, 0),
    );
    assert.deepEqual(interrupted, [8]);
    assert.deepEqual(sink.lines, []);
  });
});

describe('a method that goes wrong', () => {
  test('throws: EIO, reported, and the next request is served', () => {
    const failure = new Error('out of luck');
    let calls = 0;
    const send = serve({
      fsync: (_request, reply) => {
        calls += 1;
        if (calls === 1) throw failure;
        reply.ok();
      },
    });
    send('FSYNC');
    send('FSYNC');
    assert.deepEqual(sink.lines, ['-> #2 EIO', '-> #4 ok']);
    assert.deepEqual(errors, [failure]);
  });

  test('throws after it answered: the answer stands, the error is reported', () => {
    serve({
      fsync: (_request, reply) => {
        reply.ok();
        throw new Error('late');
      },
    })('FSYNC');
    assert.deepEqual(sink.lines, ['-> #2 ok']);
    assert.equal(errors.length, 1);
  });

  test('throws in forget(): reported, and nothing is sent', () => {
    serve({
      forget: () => {
        throw new Error('no');
      },
    })('FORGET');
    assert.deepEqual(sink.lines, []);
    assert.equal(errors.length, 1);
  });

  test('returns without an answer: EIO, and an assertion is reported', () => {
    serve({ fsync: () => {} })('FSYNC');
    assert.deepEqual(sink.lines, ['-> #2 EIO']);
    assert.equal((errors[0] as { code: string }).code, 'ASSERTION_FAILED');
  });

  test('answers twice: the first answer stands, an assertion is reported', () => {
    serve({
      fsync: (_request, reply) => {
        reply.ok();
        reply.error(ERRNO.EIO);
      },
    })('FSYNC');
    assert.deepEqual(sink.lines, ['-> #2 ok']);
    assert.equal((errors[0] as { code: string }).code, 'ASSERTION_FAILED');
  });

  test('answers with what is no error number: EIO', () => {
    for (const errno of [0, -5, 512]) {
      sink.lines.length = 0;
      serve({ fsync: (_request, reply) => reply.error(errno) })('FSYNC');
      assert.match(sink.lines.join(), /^-> #\d+ EIO$/);
    }
  });

  test('answers with more data than was asked for: EIO', () => {
    serve({ read: ({ size }, reply) => reply.data(size + 1) })(
      'READ',
      words(1, 0, 0, 0, 9, 0, 0, 0, 0, 0),
    );
    assert.deepEqual(sink.lines, ['-> #2 EIO']);
  });

  test('is fatal if the one who is told throws', () => {
    const send = serve({ fsync: () => {} }, (error) => {
      throw error;
    });
    assert.throws(() => send('FSYNC'), { code: 'ASSERTION_FAILED' });
  });
});

describe('a message that is not as it should be', () => {
  test('is too short for its opcode: EIO, reported', () => {
    serve({ fsync: (_request, reply) => reply.ok() })('FSYNC', new Uint8Array(15));
    assert.deepEqual(sink.lines, ['-> #2 EIO']);
    assert.equal((errors[0] as { code: string }).code, 'FUSE_REQUEST_MALFORMED');
  });

  test('has a name that is not UTF-8: EILSEQ, which is the application’s fault', () => {
    const send = serve({ lookup: ({ name }, reply) => reply.error(name.length) });
    send('LOOKUP', Uint8Array.of(0x61, 0xff, 0));
    assert.deepEqual(sink.lines, ['-> #2 EILSEQ']);
    assert.deepEqual(errors, []);
  });
});

describe('any message', () => {
  /** Answers everything, having read all of it. */
  const thorough = new Proxy<FuseHandler>(
    {},
    {
      get: (_target, method: string) => (request: unknown, reply: unknown) => {
        if (request instanceof FuseRequest) request.describe();
        if (reply instanceof Reply && method !== 'interrupt') reply.error(ERRNO.EPERM);
      },
    },
  );

  test('is answered exactly once, or not at all where none is taken', () => {
    const send = serve(thorough);
    const message = fc.record({
      opcode: fc.nat(OPCODE_END + 1),
      body: fc.uint8Array({ maxLength: 200 }),
    });
    fc.assert(
      fc.property(message, ({ opcode, body }) => {
        sink.lines.length = 0;
        send(opcode, body);
        const isSilent = !takesReply(opcode) || opcode === OPCODE.INTERRUPT;
        assert.equal(sink.lines.length, isSilent ? 0 : 1, sink.lines.join());
      }),
      { numRuns: 5000 },
    );
  });
});

describe('hold()', () => {
  test('answers later, in any order, between other requests', () => {
    const held: EmptyReply[] = [];
    const send = serve({
      unlink: (_request, reply) => void held.push(reply.hold()),
      fsync: (_request, reply) => reply.ok(),
    });
    send('UNLINK', text('a\0'));
    send('UNLINK', text('b\0'));
    assert.equal(sink.heldCount, 2);
    send('FSYNC');
    held[1]!.ok();
    held[0]!.error(ERRNO.EIO);
    assert.equal(sink.heldCount, 0);
    assert.deepEqual(sink.lines, ['-> #6 ok', '-> #4 ok', '-> #2 EIO']);
    assert.deepEqual(errors, []);
  });

  test('gives a reply that can be answered once', () => {
    let held: WriteReply | undefined;
    const send = serve({ write: (_request, reply) => void (held = reply.hold()) });
    send('WRITE', words(1, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    held!.written(0);
    assert.throws(() => held!.written(0), { code: 'ASSERTION_FAILED' });
    assert.throws(() => held!.hold(), { code: 'ASSERTION_FAILED' });
    assert.deepEqual(sink.lines, ['-> #2 ok size=0']);
  });

  test('takes the reply away from the method', () => {
    let held: EmptyReply | undefined;
    serve({
      fsync: (_request, reply) => {
        held = reply.hold();
        reply.ok();
      },
    })('FSYNC');
    assert.equal((errors[0] as { code: string }).code, 'ASSERTION_FAILED');
    assert.deepEqual(sink.lines, []);
    held!.ok();
    assert.deepEqual(sink.lines, ['-> #2 ok']);
  });

  test('leaves the answer to its holder when the method throws afterwards', () => {
    let held: EmptyReply | undefined;
    serve({
      fsync: (_request, reply) => {
        held = reply.hold();
        throw new Error('after hold');
      },
    })('FSYNC');
    assert.deepEqual(sink.lines, []);
    assert.equal(errors.length, 1);
    held!.ok();
    assert.deepEqual(sink.lines, ['-> #2 ok']);
  });

  test('does not share memory with the replies that follow', () => {
    let held: { data(length: number): void; bytes: Uint8Array; dataStart: number } | undefined;
    const send = serve({
      read: ({ fh }, reply) => {
        if (fh === 1) {
          held = reply.hold();
          held.bytes.fill(0x11, held.dataStart, held.dataStart + 100);
        } else {
          reply.bytes.fill(0x22, reply.dataStart, reply.dataStart + 100);
          reply.data(100);
        }
      },
    });
    const sent: number[] = [];
    sink.send = (bytes) => void sent.push(bytes[16]!);
    send('READ', words(1, 0, 0, 0, 100, 0, 0, 0, 0, 0));
    send('READ', words(2, 0, 0, 0, 100, 0, 0, 0, 0, 0));
    held!.data(100);
    assert.deepEqual(sent, [0x22, 0x11]);
  });
});

describe('shapes of answers', () => {
  test('xattr() gives the size, the value or ERANGE, as was asked', () => {
    const send = serve({ getxattr: (_request, reply) => reply.xattr(text('value')) });
    send('GETXATTR', Buffer.concat([words(0, 0), text('n\0')]));
    send('GETXATTR', Buffer.concat([words(5, 0), text('n\0')]));
    send('GETXATTR', Buffer.concat([words(4, 0), text('n\0')]));
    assert.deepEqual(sink.lines, ['-> #2 ok size=8', '-> #4 ok size=5', '-> #6 ERANGE']);
  });

  test('add() stops where the request has no more room', () => {
    const send = serve({
      readdir: (_request, reply) => {
        let off = 1;
        while (reply.add({ ino: 1, off, type: 8, name: `file-${off}` })) off += 1;
        reply.dirents();
      },
    });
    send('READDIR', words(1, 0, 0, 0, 100, 0, 0, 0, 0, 0));
    send('READDIR', words(1, 0, 0, 0, 31, 0, 0, 0, 0, 0));
    assert.deepEqual(sink.lines, ['-> #2 ok entries=3 file-1 file-2 file-3', '-> #4 ok entries=0']);
  });

  test('every other one', () => {
    const send = serve({
      lookup: (_request, reply) => reply.negativeEntry(2000),
      create: (_request, reply) => reply.create(ENTRY, { fh: 7, openFlags: 0x22, backingId: 0 }),
      open: (_request, reply) => reply.open({ fh: 8, openFlags: 0x80, backingId: 2 }),
      getattr: (_request, reply) => reply.attr(ENTRY),
      readlink: (_request, reply) => reply.text('to/e'),
      lseek: (_request, reply) => reply.offset(2 ** 40),
      getlk: (_request, reply) => reply.lock({ start: 1, end: 2, type: 2, pid: 0 }),
      ioctl: (_request, reply) => reply.ioctl(-1, Uint8Array.of(1, 2)),
      statfs: (_request, reply) =>
        reply.statfs({
          blocks: 10,
          bfree: 9,
          bavail: 8,
          files: 0,
          ffree: 0,
          bsize: 4096,
          namelen: 255,
          frsize: 4096,
        }),
    });
    send('LOOKUP', text('a\0'));
    send('CREATE', Buffer.concat([words(0, 0, 0, 0), text('a\0')]));
    send('OPEN');
    send('GETATTR');
    send('READLINK');
    send('LSEEK');
    send('GETLK');
    send('IOCTL', words(1, 0, 0, 0, 0, 0, 0, 2));
    send('STATFS');
    const entry = 'node=5 size=0 mode=100644 valid=0s attr_valid=0s';
    assert.deepEqual(sink.lines, [
      '-> #2 ok no such name valid=2s',
      `-> #4 ok ${entry} fh=7 flags=KEEP_CACHE|NOFLUSH`,
      '-> #6 ok fh=8 flags=PASSTHROUGH backing=2',
      '-> #8 ok size=0 mode=100644 attr_valid=0s',
      '-> #10 ok to/e',
      `-> #12 ok offset=${2 ** 40}`,
      '-> #14 ok type=unlocked start=1 end=2',
      '-> #16 ok result=-1',
      '-> #18 ok blocks=10 bavail=8',
    ]);
  });

  test('an entry must name a node: 0 would mean that there is none', () => {
    serve({ lookup: (_request, reply) => reply.entry({ ...ENTRY, nodeid: 0 }) })(
      'LOOKUP',
      text('a\0'),
    );
    assert.deepEqual(sink.lines, ['-> #2 EIO']);
  });
});
