import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { readFileSync, writeFileSync, writeSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';

import { SyscallError } from '../errors.ts';
import {
  createEventfd,
  drainEventfd,
  ioctl,
  Poller,
  readDescriptor,
  setNonBlocking,
  signalEventfd,
  writeDescriptor,
} from './descriptors.ts';
import { ERRNO, errnoName } from './errno.ts';
import { mapFile } from './memory.ts';
import { detachTarget, unmountTarget } from './mounts.ts';
import { pinThreadToCpu } from './scheduling.ts';
import { createSocketPair, tryReceiveDescriptor } from './sockets.ts';

const FIONREAD = 0x541b;

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'skein-syscalls-'));
});
after(() => rmSync(folder, { recursive: true }));

function failsWith(code: string): (error: unknown) => boolean {
  return (error) => error instanceof SyscallError && error.code === code;
}

function runInWorker(source: string, workerData: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
      workerData,
    });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

describe('errnoName()', () => {
  test('names numbers as the kernel documents do', () => {
    assert.equal(errnoName(2), 'ENOENT');
    assert.equal(errnoName(11), 'EAGAIN');
    assert.equal(errnoName(95), 'EOPNOTSUPP');
    assert.equal(errnoName(107), 'ENOTCONN');
    assert.equal(errnoName(61), 'ENODATA');
  });

  test('shows a number without a name', () => {
    assert.equal(errnoName(4095), 'E4095');
  });

  test('finds the number of every name again', () => {
    for (const name of ['EIO', 'ENOSYS', 'EACCES', 'EBUSY', 'ENODEV'] as const) {
      assert.equal(errnoName(ERRNO[name]), name);
    }
  });
});

describe('readDescriptor() and writeDescriptor()', () => {
  test('move bytes and say how many', () => {
    const [left, right] = createSocketPair();
    assert.equal(writeDescriptor(left, new TextEncoder().encode('hello!'), 5), 5);
    const into = new Uint8Array(16);
    assert.equal(readDescriptor(right, into), 5);
    assert.equal(new TextDecoder().decode(into.subarray(0, 5)), 'hello');
    closeSync(left);
    assert.equal(readDescriptor(right, into), 0);
    closeSync(right);
  });

  test('return the negated error number and do not throw', () => {
    const [left, right] = createSocketPair();
    setNonBlocking(right);
    assert.equal(readDescriptor(right, new Uint8Array(1)), -ERRNO.EAGAIN);
    closeSync(left);
    closeSync(right);
    assert.equal(readDescriptor(right, new Uint8Array(1)), -ERRNO.EBADF);
    assert.equal(writeDescriptor(right, new Uint8Array(1), 1), -ERRNO.EBADF);
  });

  test('refuse to write more than the array holds', () => {
    assert.throws(() => writeDescriptor(1, new Uint8Array(1), 2), { code: 'ASSERTION_FAILED' });
  });
});

describe('ioctl()', () => {
  test('lets the kernel fill in the argument', () => {
    const [left, right] = createSocketPair();
    writeDescriptor(left, new Uint8Array(7), 7);
    const argument = new Uint8Array(4);
    assert.equal(ioctl(right, FIONREAD, argument), 0);
    assert.equal(argument[0], 7);
    closeSync(left);
    closeSync(right);
  });

  test('throws the errno of a request that the descriptor does not know', () => {
    const file = openSync(join(folder, 'ioctl'), 'w');
    assert.throws(() => ioctl(file, 0x8004_e501, new Uint8Array(16)), failsWith('ENOTTY'));
    closeSync(file);
  });
});

describe('eventfd and Poller', () => {
  test('drainEventfd() says once whether anybody signalled', () => {
    const fd = createEventfd();
    assert.equal(drainEventfd(fd), false);
    signalEventfd(fd);
    signalEventfd(fd);
    assert.equal(drainEventfd(fd), true);
    assert.equal(drainEventfd(fd), false);
    closeSync(fd);
    assert.throws(() => signalEventfd(fd), failsWith('EBADF'));
    assert.throws(() => drainEventfd(fd), failsWith('EBADF'));
  });

  test('signalEventfd() does not wait when the counter is full', () => {
    const fd = createEventfd();
    const nearlyFull = new BigUint64Array([0xffff_ffff_ffff_fffen]);
    writeSync(fd, new Uint8Array(nearlyFull.buffer));
    signalEventfd(fd);
    assert.equal(drainEventfd(fd), true);
    closeSync(fd);
  });

  test('wait() tells which descriptor is ready', () => {
    const first = createEventfd();
    const second = createEventfd();
    const poller = new Poller([first, second]);
    assert.equal(poller.wait(0), false);
    signalEventfd(second);
    assert.equal(poller.wait(-1), true);
    assert.equal(poller.isReady(0), false);
    assert.equal(poller.isReady(1), true);
    assert.throws(() => poller.isReady(2), { code: 'ASSERTION_FAILED' });
    closeSync(first);
    closeSync(second);
  });

  test('wait() ends when the time is over', () => {
    const fd = createEventfd();
    const start = performance.now();
    assert.equal(new Poller([fd]).wait(20), false);
    assert.ok(performance.now() - start >= 19);
    closeSync(fd);
  });

  test('a thread that polls is woken by another thread that knows only the number', async () => {
    const fd = createEventfd();
    const source = `
      import { workerData, parentPort } from 'node:worker_threads';
      const { Poller } = await import(workerData.module);
      parentPort.postMessage(new Poller([workerData.fd]).wait(60_000));`;
    const module = new URL('./descriptors.ts', import.meta.url).href;
    const woken = runInWorker(source, { fd, module });
    setTimeout(() => signalEventfd(fd), 50);
    assert.equal(await woken, true);
    closeSync(fd);
  });
});

describe('mapFile()', () => {
  test('shares the pages of the file in both directions', () => {
    const path = join(folder, 'mapped');
    writeFileSync(path, new Uint8Array(8192));
    const fd = openSync(path, 'r+');
    const mapped = mapFile(fd, 8192);
    mapped.bytes.set([1, 2, 3], 4096);
    assert.deepEqual([...readFileSync(path).subarray(4096, 4099)], [1, 2, 3]);
    writeSync(fd, Uint8Array.of(9), 0, 1, 5);
    assert.equal(mapped.bytes[5], 9);
    mapped.unmap();
    closeSync(fd);
  });

  test('maps a part of the file', () => {
    const path = join(folder, 'part');
    writeFileSync(path, Buffer.concat([Buffer.alloc(4096, 'a'), Buffer.alloc(4096, 'b')]));
    const fd = openSync(path, 'r+');
    const mapped = mapFile(fd, 4096, 4096);
    assert.equal(mapped.bytes.length, 4096);
    assert.equal(mapped.bytes[0], 'b'.charCodeAt(0));
    mapped.unmap();
    closeSync(fd);
  });

  test('leaves nothing to be read after unmap()', () => {
    const fd = openSync(join(folder, 'unmapped'), 'w+');
    ftruncateSync(fd, 4096);
    const mapped = mapFile(fd, 4096);
    const view = new DataView(mapped.bytes.buffer);
    mapped.unmap();
    assert.equal(mapped.bytes.length, 0);
    assert.throws(() => view.getUint8(0), TypeError);
    closeSync(fd);
  });

  test('throws the errno when it cannot', () => {
    const fd = openSync(join(folder, 'unaligned'), 'w+');
    assert.throws(() => mapFile(fd, 4096, 1), failsWith('EINVAL'));
    assert.throws(() => mapFile(fd, 0), { code: 'ASSERTION_FAILED' });
    closeSync(fd);
  });
});

describe('tryReceiveDescriptor()', () => {
  const SEND = `
import array, socket, sys
s = socket.socket(fileno=3)
f = open(sys.argv[1])
s.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [f.fileno()]))])`;

  test('gets the file that another process opened', () => {
    const path = join(folder, 'passed');
    writeFileSync(path, 'from the child');
    const [ours, theirs] = createSocketPair();
    const stdio = ['ignore', 'inherit', 'inherit', theirs] as const;
    const child = spawnSync('python3', ['-c', SEND, path], { stdio: [...stdio] });
    assert.equal(child.status, 0);
    closeSync(theirs);
    const fd = tryReceiveDescriptor(ours);
    assert.ok(fd !== undefined);
    const into = Buffer.alloc(64);
    const length = readSync(fd, into, 0, 64, 0);
    assert.equal(into.toString('utf8', 0, length), 'from the child');
    closeSync(fd);
    closeSync(ours);
  });

  test('is undefined without a message, without a descriptor in it, and at the end', () => {
    const [ours, theirs] = createSocketPair();
    assert.equal(tryReceiveDescriptor(ours), undefined);
    writeDescriptor(theirs, Uint8Array.of(1), 1);
    assert.equal(tryReceiveDescriptor(ours), undefined);
    closeSync(theirs);
    assert.equal(tryReceiveDescriptor(ours), undefined);
    closeSync(ours);
    assert.throws(() => tryReceiveDescriptor(ours), failsWith('EBADF'));
  });
});

describe('detachTarget()', () => {
  test('throws the errno', () => {
    assert.throws(
      () => detachTarget(join(folder, 'nowhere')),
      (error) => failsWith('ENOENT')(error) || failsWith('EPERM')(error),
    );
  });
});

describe('unmountTarget()', () => {
  test('rejects with the errno', async () => {
    await assert.rejects(unmountTarget(join(folder, 'nowhere'), 0), (error) => {
      // Without privileges the kernel says so before it looks at the path.
      return failsWith('ENOENT')(error) || failsWith('EPERM')(error);
    });
  });
});

describe('scheduling', () => {
  const THREAD_STATUS = `
    import { readFileSync } from 'node:fs';
    import { workerData, parentPort } from 'node:worker_threads';
    const { pinThreadToCpu, makeThreadIdle } = await import(workerData.module);
    pinThreadToCpu(workerData.cpu);
    makeThreadIdle();
    const status = readFileSync('/proc/thread-self/status', 'utf8');
    const policy = readFileSync('/proc/thread-self/stat', 'utf8').split(') ')[1].split(' ')[38];
    parentPort.postMessage({ cpus: /Cpus_allowed_list:\\t(.*)/.exec(status)[1], policy });`;

  test('binds the calling thread, and only that one', async () => {
    const cpu = availableParallelism() - 1;
    const module = new URL('./scheduling.ts', import.meta.url).href;
    const before = readFileSync('/proc/thread-self/status', 'utf8');
    assert.deepEqual(await runInWorker(THREAD_STATUS, { cpu, module }), {
      cpus: String(cpu),
      policy: '5',
    });
    const cpus = (status: string) => /Cpus_allowed_list:.*/.exec(status)?.[0];
    assert.equal(cpus(readFileSync('/proc/thread-self/status', 'utf8')), cpus(before));
  });

  test('pinThreadToCpu() throws for a CPU that is not there', () => {
    assert.throws(() => pinThreadToCpu(1023), failsWith('EINVAL'));
    assert.throws(() => pinThreadToCpu(1024), { code: 'ASSERTION_FAILED' });
    assert.throws(() => pinThreadToCpu(-1), { code: 'ASSERTION_FAILED' });
  });
});
