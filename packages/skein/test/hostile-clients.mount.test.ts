// Clients that are no SQLite, or mean no good: whatever they call, they get an answer, and the node
// goes on serving the others.

import assert from 'node:assert/strict';
import { closeSync, constants, openSync } from 'node:fs';
import { describe, test } from 'node:test';

import { onTestEnd, requirePart, type TestScope } from '@skein/testkit';

import { connect } from './clients.ts';
import { runWell } from './programs.ts';
import { shareNode } from './shared-node.ts';

/** What the programs begin with; sizes beyond 2^53 cannot be asked for by Node. */
const PRELUDE = `
import os, struct, sys

def attempt(call, *args):
    try:
        return call(*args)
    except OSError:
        return None

def opened(path, flags=os.O_RDWR):
    return os.open(path, flags | os.O_CREAT, 0o666)

def journal_header(page_size, sector_size=512):
    magic = bytes.fromhex('d9d505f920a163d7')
    return (magic + struct.pack('>IIIII', 0, 1, 1, sector_size, page_size)).ljust(512, b'\\0')

os.chdir(sys.argv[1])
`;

/** Programs by what they do to a node that has the database app.db. */
const HOSTILE: Readonly<Record<string, string>> = {
  'sizes and positions that no file has': `
suffixes = ['', '-wal', '-shm', '-journal']
names = ['app.db' + suffix for suffix in suffixes] + ['.staging', 'new.db', 'x.db-journal']
for name in names:
    for flags in [os.O_RDWR, os.O_WRONLY]:
        fd = attempt(opened, name, flags)
        if fd is None: continue
        for end in [1 << 45, (1 << 53) - 1, 1 << 53, 1 << 60, (1 << 63) - 1]:
            attempt(os.pwrite, fd, b'x' * 4096, end - 4096)
            attempt(os.pread, fd, 100, end - 4096)
            attempt(os.ftruncate, fd, end)
        attempt(os.ftruncate, fd, 0)
        attempt(os.close, fd)
    if name != 'app.db': attempt(os.unlink, name)
`,
  'journals with headers that SQLite does not believe': `
for page_size, sector_size in [(3, 512), (100000, 512), (1 << 31, 512), (4096, 3), (0, 512)]:
    for name in ['app.db', 'new.db']:
        fd = opened(name)
        journal = opened(name + '-journal')
        os.pwrite(journal, journal_header(page_size, sector_size), 0)
        attempt(os.pwrite, fd, b'x' * 4096, 0)
        attempt(os.ftruncate, fd, 999)
        os.pread(fd, 8192, 0)
        attempt(os.unlink, name + '-journal')
        os.close(journal)
        attempt(os.close, fd)
`,
  'pages beyond the last number that a page can have': `
fd = opened('app.db')
journal = opened('app.db-journal')
os.pwrite(journal, journal_header(4096), 0)
os.fsync(journal)
page = os.pread(fd, 4096, 0)
for pgno in [1 << 32, (1 << 32) + 1, 1 << 34]:
    assert attempt(os.pwrite, fd, page, (pgno - 1) * 4096) is None
os.pwrite(fd, page, 0)
os.unlink('app.db-journal')
`,
  'a WAL of a terabyte that says that the database has as many pages': `
def checksum(data, sums):
    a, b = sums
    for x, y in struct.iter_unpack('<II', data):
        a = (a + x + b) & 0xffffffff
        b = (b + y + a) & 0xffffffff
    return a, b

wal = struct.pack('>IIII8s', 0x377f0682, 3007000, 4096, 0, b'saltSALT')
sums = checksum(wal, (0, 0))
wal += struct.pack('>II', *sums)
page = open('app.db', 'rb').read(4096)
frame = struct.pack('>II', 1, 2000000000)
sums = checksum(page, checksum(frame, sums))
wal += frame + b'saltSALT' + struct.pack('>II', *sums) + page
fd = opened('new.db-wal')
os.pwrite(fd, wal, 0)
os.ftruncate(fd, 1 << 40)
os.close(fd)
fd = opened('new.db', os.O_WRONLY)
os.write(fd, open('app.db', 'rb').read())
attempt(os.close, fd)
attempt(os.unlink, 'new.db-wal')
attempt(os.unlink, 'new.db')
`,
  'databases that are removed under those who write to their WALs': `
import sqlite3, threading, time
end = time.monotonic() + 3

def write(name):
    while time.monotonic() < end:
        try:
            db = sqlite3.connect(name, timeout=0.1, isolation_level=None)
            db.execute('PRAGMA journal_mode = wal')
            db.execute('PRAGMA cache_size = 10')
            db.execute('CREATE TABLE IF NOT EXISTS t (a)')
            while time.monotonic() < end:
                db.execute('BEGIN IMMEDIATE')
                for _ in range(100): db.execute('INSERT INTO t VALUES (randomblob(3000))')
                db.execute('COMMIT')
        except sqlite3.Error:
            pass

threads = [threading.Thread(target=write, args=[name]) for name in ['one.db', 'two.db']]
for thread in threads: thread.start()
while time.monotonic() < end:
    for name in ['one.db', 'two.db']:
        for suffix in ['', '-wal', '-shm']: attempt(os.unlink, name + suffix)
    time.sleep(0.01)
for thread in threads: thread.join()
`,
  'files with holes that claim to be databases of a terabyte': `
page = bytearray(open('app.db', 'rb').read(4096))
page_count = (1 << 40) // 4096
struct.pack_into('>I', page, 28, page_count)
for name, flags in [('hole-1.db', os.O_WRONLY), ('hole-2.db', os.O_RDWR), ('.hole-3', os.O_RDWR)]:
    fd = opened(name, flags)
    os.write(fd, page)
    os.ftruncate(fd, page_count * 4096)
    attempt(os.close, fd)
attempt(os.rename, '.hole-3', 'hole-3.db')
fd = opened('app.db')
journal = opened('app.db-journal')
os.pwrite(journal, journal_header(4096), 0)
os.fsync(journal)
os.pwrite(fd, page, 0)
os.ftruncate(fd, page_count * 4096)
assert attempt(lambda: (os.unlink('app.db-journal'), True)) is None
`,
  'a super-journal of a terabyte': `
fd = opened('app.db-mj00000091A')
os.ftruncate(fd, 1 << 40)
os.close(fd)
attempt(os.unlink, 'app.db-mj00000091A')
`,
};

for (const passthrough of ['auto', 'off'] as const) {
  describe(`A node with hostile clients, passthrough ${passthrough}`, () => {
    const shared = shareNode({ config: { passthrough } });
    const parts = ['fuse', 'root', 'python3'] as const;

    for (const [what, program] of Object.entries(HOSTILE)) {
      test(`survives ${what}`, async (t) => {
        if (!requirePart(t, ...parts)) return;
        const node = shared();
        const client = await connect(t, node.path('app.db'));
        await client.exec('CREATE TABLE IF NOT EXISTS t (a)');
        await client.close();
        runWell('python3', ['-c', PRELUDE + program, node.mountpoint]);
        await checkServes(t, node.path('app.db'));
      });
    }

    test('opens more files a second time than it keeps registered for the kernel', (t) => {
      if (!requirePart(t, ...parts)) return;
      const paths = Array.from({ length: 80 }, (_, n) => shared().path(`many-${n}.db-shm`));
      for (const path of [...paths, ...paths]) open(t, path);
    });
  });
}

/** Opens a file for as long as the test runs. */
function open(t: TestScope, path: string): void {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT);
  onTestEnd(t, () => closeSync(fd));
}

/** Fails unless the database still takes transactions. */
async function checkServes(t: TestScope, path: string): Promise<void> {
  const client = await connect(t, path);
  await client.exec('INSERT INTO t VALUES (1)');
  assert.deepEqual(await client.exec('PRAGMA integrity_check'), [['ok']]);
  await client.close();
}
