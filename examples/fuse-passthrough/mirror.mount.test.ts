// The example serves files as the file system below it would: every program here runs once on the
// mount and once on a plain folder, and must print the same and leave the same behind.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { requirePart, tempDir } from '@skein/testkit';

import { MirrorProcess, runPython } from './test-mirror.ts';

/** Everything that can be seen of a tree but times and inode numbers. */
const DESCRIBE_TREE = `
for path, folders, files in sorted(os.walk('.')):
    folders.sort()
    for name in sorted(files + folders):
        file = os.path.join(path, name)
        stat = os.lstat(file)
        content = ''
        if os.path.islink(file): content = os.readlink(file)
        elif os.path.isfile(file): content = hashlib.sha256(open(file, 'rb').read()).hexdigest()
        size = 0 if os.path.isdir(file) else stat.st_size
        print(file, oct(stat.st_mode), size, stat.st_nlink, stat.st_uid, content)`;

async function behavesAlike(t: TestContext, program: string): Promise<void> {
  if (!requirePart(t, 'fuse', 'root', 'python3')) return;
  const plain = join(tempDir(t), 'plain');
  mkdirSync(plain);
  const mirror = await MirrorProcess.start(t);

  const onMount = await runPython(mirror.mountpoint, program);
  const onDisk = await runPython(plain, program);
  assert.equal(onMount, onDisk);
  const expected = await runPython(plain, DESCRIBE_TREE);
  assert.equal(await runPython(mirror.mountpoint, DESCRIBE_TREE), expected);
  assert.equal(await runPython(mirror.source, DESCRIBE_TREE), expected);
  assert.equal(await mirror.stop(), 0);
  assert.match(mirror.printed, /unmounted: clean\n$/);
}

describe('the mirror behaves like the folder behind it', () => {
  test('files: create, write, append, read, truncate, modes, times', async (t) => {
    await behavesAlike(
      t,
      `
with open('a', 'w') as f: f.write('hello')
with open('a', 'a') as f: f.write(' world')
print(open('a').read(), os.path.getsize('a'))
os.truncate('a', 3); print(open('a').read())
os.truncate('a', 6); print(open('a', 'rb').read())
with open('a', 'r+') as f: f.truncate(1)
open('b', 'w').close()
os.chmod('b', 0o604); os.utime('b', (1000, 2000.5)); os.chown('b', 1, 2)
s = os.stat('b'); print(oct(s.st_mode), s.st_atime, s.st_mtime, s.st_uid, s.st_gid)
with open('a', 'w') as f: f.write('new')
print(open('a').read())
fd = os.open('c', os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o640)
os.pwrite(fd, b'sparse', 100000); os.fsync(fd); os.fdatasync(fd); os.close(fd)
print(os.stat('c').st_size, open('c', 'rb').read(3))`,
    );
  });

  test('folders and names: mkdir, rename, link, symlink, unlink, rmdir', async (t) => {
    await behavesAlike(
      t,
      `
os.makedirs('x/y/z'); os.mkdir('e', 0o700)
open('x/y/f', 'w').write('1'); open('x/g', 'w').write('2')
os.rename('x/y', 'x/w'); print(open('x/w/f').read(), os.path.isdir('x/w/z'))
os.rename('x/g', 'x/w/f'); print(open('x/w/f').read(), os.listdir('x'))
os.link('x/w/f', 'hard'); print(os.stat('hard').st_nlink)
os.symlink('x/w/f', 'soft'); print(open('soft').read(), os.readlink('soft'))
os.symlink('nowhere', 'broken'); print(os.path.exists('broken'), os.path.lexists('broken'))
os.unlink('x/w/f'); print(os.stat('hard').st_nlink)
os.rmdir('x/w/z'); open('name with blank é', 'w').close()
print(sorted(os.listdir('.')))`,
    );
  });

  test('errors: the same numbers', async (t) => {
    await behavesAlike(
      t,
      `
def fails(call):
    try: call(); print('no error')
    except OSError as e: print(errno.errorcode[e.errno])
open('f', 'w').close(); os.makedirs('d/e')
fails(lambda: open('missing'))
fails(lambda: os.mkdir('d'))
fails(lambda: os.rmdir('d'))
fails(lambda: os.unlink('d'))
fails(lambda: os.rmdir('f'))
fails(lambda: open('f/below'))
fails(lambda: os.rename('missing', 'x'))
fails(lambda: os.rename('d', 'f'))
fails(lambda: os.rename('d', 'd/e/below'))
fails(lambda: os.open('f', os.O_CREAT | os.O_EXCL))
fails(lambda: open('n' * 256, 'w'))
fails(lambda: os.truncate('f', -1))
fails(lambda: os.readlink('f'))
fails(lambda: os.listdir('f'))`,
    );
  });

  test('files that are removed or replaced while they are open', async (t) => {
    await behavesAlike(
      t,
      `
f = open('gone', 'w+'); f.write('still here'); f.flush()
os.unlink('gone'); print(os.path.exists('gone'))
f.seek(0); print(f.read(), os.fstat(f.fileno()).st_size, os.fstat(f.fileno()).st_nlink)
f.truncate(5); f.seek(0); print(f.read())
open('gone', 'w').write('another file')
f.seek(0); print(f.read(), open('gone').read()); f.close()
old = open('old', 'w+'); old.write('old'); old.flush()
open('new', 'w').write('new'); os.rename('new', 'old')
old.seek(0); print(old.read(), open('old').read())`,
    );
  });

  test('mmap: shared and private, written and read', async (t) => {
    await behavesAlike(
      t,
      `
fd = os.open('m', os.O_RDWR | os.O_CREAT); os.ftruncate(fd, 1 << 20)
shared = mmap.mmap(fd, 1 << 20)
shared[100:105] = b'first'; shared[999999:1000000] = b'!'
print(os.pread(fd, 5, 100)); os.pwrite(fd, b'second', 200); print(shared[200:206])
private = mmap.mmap(fd, 1 << 20, flags=mmap.MAP_PRIVATE); private[0:4] = b'mine'
print(os.pread(fd, 4, 0), private[100:105])
shared.flush(); shared.close(); os.close(fd)
print(hashlib.sha256(open('m', 'rb').read()).hexdigest())`,
    );
  });

  test('big reads and writes at odd places', async (t) => {
    await behavesAlike(
      t,
      `
r = random.Random(42)
data = bytearray(r.randbytes(24 << 20))
fd = os.open('big', os.O_RDWR | os.O_CREAT)
os.pwrite(fd, data, 0)
for _ in range(200):
    at = r.randrange(len(data)); chunk = r.randbytes(r.randrange(1, 300000))
    n = os.pwrite(fd, chunk, at); data[at:at + n] = chunk[:n]
for _ in range(200):
    at = r.randrange(len(data)); n = r.randrange(1, 3000000)
    assert os.pread(fd, n, at) == data[at:at + n]
os.fsync(fd); os.close(fd)
with open('big', 'rb', buffering=1 << 20) as f: print(f.read() == data, len(data))
print(hashlib.sha256(data).hexdigest())`,
    );
  });

  test('a folder of 3,000 files, listed and removed', async (t) => {
    await behavesAlike(
      t,
      `
os.mkdir('many')
for i in range(3000): open('many/file-%d-%s' % (i, 'x' * (i % 50)), 'w').close()
print(hashlib.sha256('\\n'.join(sorted(os.listdir('many'))).encode()).hexdigest())
removed = 0
with os.scandir('many') as entries:
    for entry in entries:
        assert entry.is_file()
        os.unlink(entry.path); removed += 1
print(removed, os.listdir('many'))
os.rmdir('many')`,
    );
  });

  test('random operations of a thousand steps', async (t) => {
    await behavesAlike(
      t,
      `
r = random.Random(7)
names = ['d%d/n%d' % (i % 3, i) for i in range(12)]
for d in range(3): os.mkdir('d%d' % d)
for step in range(1000):
    a, b, op = r.choice(names), r.choice(names), r.randrange(8)
    try:
        if op == 0: open(a, 'w').write('w' * r.randrange(20000))
        elif op == 1: open(a, 'a').write('a' * r.randrange(5000))
        elif op == 2: os.rename(a, b)
        elif op == 3: os.unlink(a)
        elif op == 4: os.link(a, b)
        elif op == 5: os.truncate(a, r.randrange(30000))
        elif op == 6: print(step, hashlib.sha256(open(a, 'rb').read()).hexdigest())
        else: print(step, os.stat(a).st_size)
    except OSError as e: print(step, op, errno.errorcode[e.errno])`,
    );
  });
});
