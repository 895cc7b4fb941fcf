// The device loop, its notifications and passthrough, on real mounts.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { ERRNO } from '@skein/host';
import { onTestEnd, requirePart, skipTest, tempDir } from '@skein/testkit';

import { output, TestMount } from '../test/test-mount.ts';
import { unmountFuse } from './mount/unmount.ts';
import { Notifier } from './notifier.ts';

const ROOT = 1;

const mountTest = (title: string, body: (t: TestContext) => Promise<void>): void => {
  test(title, async (t) => {
    if (requirePart(t, 'fuse', 'root', 'python3')) await body(t);
  });
};

describe('DeviceLoop', () => {
  mountTest('serves files, and counts what was asked', async (t) => {
    const mount = new TestMount(t);
    const program = `
fd = os.open('a', os.O_RDONLY)
print(os.read(fd, 7).decode(), os.path.exists('b'))
os.close(fd)`;
    assert.equal(await mount.client(program), 'content False');
    const received = (await mount.all('received')).filter((name) => name !== 'RELEASE');
    assert.deepEqual(received, ['INIT', 'ACCESS', 'LOOKUP', 'OPEN', 'READ', 'LOOKUP', 'FLUSH']);
    const { RELEASE: _, ...waitedFor } = mount.counts.snapshot();
    assert.deepEqual(waitedFor, { INIT: 1, ACCESS: 1, LOOKUP: 2, OPEN: 1, READ: 1, FLUSH: 1 });
    assert.equal(mount.counts.waitedFor, 6);

    // By now both names and the page are known, and ACCESS and FLUSH were answered ENOSYS.
    assert.equal(await mount.client(program), 'content False');
    assert.equal(mount.counts.waitedFor, 7);
    assert.equal(mount.counts.of('OPEN'), 2);
  });

  mountTest('negotiates what was asked for, and traces every message', async (t) => {
    const mount = new TestMount(t);
    assert.match(
      await mount.next('negotiated'),
      /^7\.(3[1-9]|4\d) ASYNC_READ BIG_WRITES INIT_EXT MAX_PAGES$/,
    );
    await mount.client(`open('a').read()`);
    const trace = (await mount.all('trace')).join('\n');
    assert.match(trace, /^INIT #\d+ node=0 version=7\.\d+/);
    assert.match(trace, /LOOKUP #(\d+) node=1 name=a\n {2}-> #\1 ok node=2 size=7/);
    assert.match(trace, /READ #(\d+) node=2 fh=2 offset=0 size=4096\n {2}-> #\1 ok size=7/);
    assert.match(trace, /FLUSH #(\d+) node=2 fh=2\n {2}-> #\1 ENOSYS/);
  });

  mountTest('takes a write of 4 MiB in requests of 1 MiB', async (t) => {
    const mount = new TestMount(t);
    const program = `
data = os.urandom(4 << 20)
fd = os.open('big', os.O_RDWR | os.O_CREAT)
print(os.pwrite(fd, data, 0), end=' ')
os.close(fd)
print(open('big', 'rb').read() == data)`;
    assert.equal(await mount.client(program), '4194304 True');
    assert.equal(mount.counts.of('WRITE'), 4);
  });

  mountTest('reads a big file in requests of 1 MiB, once that was allowed', async (t) => {
    const mount = new TestMount(t, { files: { big: 'x'.repeat(8 << 20) } });
    assert.equal(await mount.client(`print(len(open('big').read()))`), String(8 << 20));
    const trace = (await mount.all('trace')).filter((line) => line.startsWith('READ '));
    assert.match(trace.join('\n'), /size=1048576/);
    assert.ok(trace.length < 16, trace.join('\n'));
  });

  mountTest('answers EIO for a handler that throws, tells, and goes on', async (t) => {
    const mount = new TestMount(t);
    await mount.order({ do: 'throw', name: 'FSYNC' });
    const program = `
fd = os.open('a', os.O_RDWR)
for _ in range(2):
    try: os.fsync(fd); print('ok', end=' ')
    except OSError as e: print(e.errno, end=' ')`;
    assert.equal(await mount.client(program), `${ERRNO.EIO} ok`);
    assert.match(await mount.next('error'), /^FSYNC #\d+ node=2 fh=2: Error: ordered at FSYNC$/);
  });

  mountTest(
    'ends when the error is found fatal, and the mount can still be taken down',
    async (t) => {
      const mount = new TestMount(t);
      await mount.order({ do: 'crash', name: 'FSYNC' });
      const client = mount.startClient(`
try: os.fsync(os.open('a', os.O_RDWR))
except OSError as e: print(e.errno)
try: os.stat('never seen')
except OSError as e: print(e.errno)`);
      const printed = output(client);
      await mount.exited();
      assert.match(String(mount.crash), /ordered to crash/);
      assert.equal(await unmountFuse(mount.mount, { graceMs: 300 }), 'aborted');
      // It asks before the end, or after it.
      const [first, second] = (await printed).split('\n').map(Number);
      assert.equal(first, ERRNO.EIO);
      assert.ok(second === ERRNO.ECONNABORTED || second === ERRNO.ENOTCONN, String(second));
    },
  );

  mountTest('refuses a name that is not UTF-8 with EILSEQ', async (t) => {
    const mount = new TestMount(t);
    const program = `
try: os.stat(b'\\xff\\xfe')
except OSError as e: print(e.errno)`;
    assert.equal(await mount.client(program), String(ERRNO.EILSEQ));
    assert.deepEqual(await mount.all('error'), []);
  });
});

describe('DeviceLoop between requests', () => {
  mountTest('calls wake() for a signal, and idle() before it sleeps', async (t) => {
    const mount = new TestMount(t);
    await mount.next('idle');
    assert.equal(await mount.order({ do: 'echo' }), 'echo 0');
    await mount.next('idle');
  });

  mountTest('stop() leaves the mount to the next loop', async (t) => {
    const mount = new TestMount(t);
    assert.equal(await mount.client(`print(open('a').read())`), 'content');
    const exited = mount.exited();
    await mount.order({ do: 'stop' });
    assert.equal(await mount.next('end'), 'stopped');
    await exited;
    const client = mount.client(`print(os.path.exists('asked while nobody served'))`);
    mount.start();
    assert.equal(await client, 'False');
  });

  mountTest('ends when the mount is gone', async (t) => {
    const mount = new TestMount(t);
    await mount.next('negotiated');
    assert.equal(await unmountFuse(mount.mount), 'clean');
    assert.equal(await mount.next('end'), 'unmounted');
  });
});

describe('a held reply', () => {
  mountTest('keeps its client waiting, and others are served', async (t) => {
    const mount = new TestMount(t);
    await mount.order({ do: 'hold', name: 'FSYNC' });
    const client = mount.startClient(`os.fsync(os.open('a', os.O_RDWR)); print('synced')`);
    const printed = output(client);
    assert.equal(await mount.next('held'), 'FSYNC');
    assert.equal(await mount.client(`print(open('a').read())`), 'content');
    assert.equal(client.exitCode, null);
    assert.equal(await mount.order({ do: 'echo' }), 'echo 1');
    assert.equal(await mount.order({ do: 'release' }), 'release 0');
    assert.equal(await printed, 'synced');
  });

  mountTest('is waited out even by a client that is killed', async (t) => {
    const mount = new TestMount(t);
    await mount.order({ do: 'hold', name: 'UNLINK' });
    const client = mount.startClient(`os.unlink('a')`);
    await mount.next('held');
    const exited = once(client, 'exit');
    client.kill('SIGKILL');
    await mount.client(`open('/dev/null')`);
    assert.equal(client.signalCode, null);
    await mount.order({ do: 'release' });
    assert.deepEqual(await exited, [null, 'SIGKILL']);
  });

  mountTest('may be answered EINTR when a signal comes', async (t) => {
    const mount = new TestMount(t);
    await mount.order({ do: 'hold', name: 'FSYNC' });
    const program = `
class Alarm(Exception): pass
def raise_alarm(*_): raise Alarm()
signal.signal(signal.SIGALRM, raise_alarm)
fd = os.open('a', os.O_RDWR)
try: os.fsync(fd)
except Alarm: print('interrupted')`;
    const client = mount.startClient(program);
    const printed = output(client);
    await mount.next('held');
    client.kill('SIGALRM');
    assert.equal(await printed, 'interrupted');
    assert.equal(mount.counts.of('INTERRUPT'), 1);
  });
});

describe('Notifier', () => {
  const READ_TWICE = `
fd = os.open('a', os.O_RDONLY)
print(os.pread(fd, 7, 0).decode(), flush=True)
sys.stdin.readline()
os.fstat(fd)
print(os.pread(fd, 7, 0).decode(), flush=True)`;

  /** What a client sees of file `a` before and after `change`, with its caches warm. */
  async function seen(mount: TestMount, change: (notifier: Notifier) => void): Promise<string[]> {
    const child = mount.startClient(READ_TWICE);
    const printed = output(child);
    await once(child.stdout!, 'data');
    await mount.order({ do: 'set', name: 'a', content: 'swapped' });
    change(new Notifier(mount.mount.fd));
    child.stdin!.end('\n');
    return (await printed).split('\n');
  }

  mountTest('without one the kernel believes what it has', async (t) => {
    assert.deepEqual(await seen(new TestMount(t), () => {}), ['content', 'content']);
  });

  mountTest('invalInode() makes it ask for attributes and pages', async (t) => {
    const mount = new TestMount(t);
    const printed = await seen(mount, (notifier) => {
      assert.equal(notifier.invalInode(2), true);
    });
    assert.deepEqual(printed, ['content', 'swapped']);
    assert.deepEqual([mount.counts.of('READ'), mount.counts.of('GETATTR')], [2, 1]);
  });

  mountTest('invalInode() leaves pages outside of the range', async (t) => {
    const printed = await seen(new TestMount(t), (notifier) => {
      assert.equal(notifier.invalInode(2, { offset: 4096, length: 4096 }), true);
    });
    assert.deepEqual(printed, ['content', 'content']);
  });

  mountTest('invalAttributes() makes it ask for attributes only', async (t) => {
    const mount = new TestMount(t);
    const printed = await seen(mount, (notifier) => {
      assert.equal(notifier.invalAttributes(2), true);
    });
    assert.deepEqual(printed, ['content', 'content']);
    assert.deepEqual([mount.counts.of('READ'), mount.counts.of('GETATTR')], [1, 1]);
  });

  mountTest('store() puts data into the page cache', async (t) => {
    const printed = await seen(new TestMount(t), (notifier) => {
      assert.equal(notifier.store(2, 0, Buffer.from('STORED')), true);
    });
    assert.deepEqual(printed, ['content', 'STOREDt']);
  });

  mountTest('invalEntry() forgets a name, also that it is not there', async (t) => {
    const mount = new TestMount(t);
    const exists = `print(os.path.exists('a'), os.path.exists('new'))`;
    assert.equal(await mount.client(exists), 'True False');
    await mount.order({ do: 'set', name: 'new', content: '' });
    assert.equal(await mount.client(exists), 'True False');
    const notifier = new Notifier(mount.mount.fd);
    assert.equal(notifier.invalEntry(ROOT, 'new'), true);
    assert.equal(await mount.client(exists), 'True True');
    assert.equal(notifier.delete(ROOT, 2, 'a'), true);
    const lookups = mount.counts.of('LOOKUP');
    await mount.client(exists);
    assert.equal(mount.counts.of('LOOKUP'), lookups + 1);
  });

  mountTest('says false for what the kernel does not know, and after the end', async (t) => {
    const mount = new TestMount(t);
    await mount.next('negotiated');
    const notifier = new Notifier(mount.mount.fd);
    assert.equal(notifier.invalInode(99), false);
    assert.equal(notifier.invalEntry(ROOT, 'nothing'), false);
    assert.equal(notifier.store(99, 0, new Uint8Array(1)), false);
    await unmountFuse(mount.mount);
    assert.equal(notifier.invalInode(ROOT), false);
    assert.throws(() => new Notifier(openSync('/dev/null', 'r')).invalInode(1), {
      code: 'EBADF',
    });
  });
});

describe('passthrough', () => {
  mountTest('lets the kernel read and write the backing file by itself', async (t) => {
    const path = join(tempDir(t), 'backing');
    writeFileSync(path, 'on disk');
    const backingFd = openSync(path, 'r+');
    onTestEnd(t, () => closeSync(backingFd));
    const mount = new TestMount(t, { flags: ['PASSTHROUGH'], backingFd });
    const obstacle = await mount.next('obstacle');
    if (obstacle !== 'undefined') {
      skipTest(t, `No passthrough here: ${obstacle}`);
      return;
    }
    const program = `
fd = os.open('a', os.O_RDWR)
print(os.pread(fd, 100, 0).decode())
os.pwrite(fd, b'IN', 0)`;
    assert.equal(await mount.client(program), 'on disk');
    assert.equal(readFileSync(path, 'utf8'), 'IN disk');
    assert.equal(mount.counts.of('READ') + mount.counts.of('WRITE'), 0);
  });

  mountTest(
    'is reported as impossible with a writeback cache, or when not asked for',
    async (t) => {
      const backingFd = openSync(import.meta.filename, 'r');
      onTestEnd(t, () => closeSync(backingFd));
      const writeback = new TestMount(t, {
        flags: ['PASSTHROUGH', 'WRITEBACK_CACHE'],
        backingFd,
      });
      assert.match(await writeback.next('obstacle'), /no writeback cache|does not offer it/);
      const unasked = new TestMount(t, { flags: [], backingFd });
      assert.match(await unasked.next('obstacle'), /not asked for|does not offer it/);
    },
  );
});
