// What every Disk must do, told as tests that any implementation can run. Where the simulated disk
// and the real one would answer differently, crash tests would prove nothing.

import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';

import { type Disk, DiskError, type DiskFile } from '@skein/host';

export interface DiskSetup {
  readonly disk: Disk;
  /** An empty folder for the test. */
  readonly folder: string;
}

type Case = (setup: DiskSetup) => void;

export function testDisk(name: string, setUp: (t: TestContext) => DiskSetup): void {
  const cases = { ...OPENING, ...READING_AND_WRITING, ...NAMES, ...FOLDERS };
  void describe(`${name} keeps the contract of Disk`, () => {
    for (const [title, run] of Object.entries(cases)) {
      void test(title, (t) => run(setUp(t)));
    }
  });
}

const OPENING: Record<string, Case> = {
  'open() for reading or updating needs the file to exist': ({ disk, folder }) => {
    refuses('ENOENT', () => disk.open('test.open', `${folder}/a`, 'read'));
    refuses('ENOENT', () => disk.open('test.open', `${folder}/a`, 'update'));
    assert.deepEqual(disk.list('test.list', folder), []);
  },

  'open() or create keeps what a file holds, create empties it': ({ disk, folder }) => {
    writeFile(disk, `${folder}/a`, 'old');
    using(disk.open('test.open', `${folder}/a`, 'open-or-create'), () => {});
    assert.equal(readFile(disk, `${folder}/a`), 'old');
    using(disk.open('test.open', `${folder}/a`, 'create'), () => {});
    assert.equal(readFile(disk, `${folder}/a`), '');
  },

  'open() refuses folders and missing parents': ({ disk, folder }) => {
    writeFile(disk, `${folder}/file`, '');
    for (const mode of ['read', 'update', 'create', 'open-or-create'] as const) {
      refuses('EISDIR', () => disk.open('test.open', folder, mode));
      refuses('ENOENT', () => disk.open('test.open', `${folder}/none/a`, mode));
      refuses('ENOTDIR', () => disk.open('test.open', `${folder}/file/a`, mode));
    }
  },

  'a file opened for reading refuses to be changed': ({ disk, folder }) => {
    writeFile(disk, `${folder}/a`, 'old');
    using(disk.open('test.open', `${folder}/a`, 'read'), (file) => {
      refuses('EBADF', () => file.write('test.write', bytes('new'), 0, 3, 0));
      // POSIX leaves the choice between EBADF and EINVAL.
      assert.throws(() => file.truncate('test.truncate', 0), DiskError);
    });
    assert.equal(readFile(disk, `${folder}/a`), 'old');
  },

  'a closed file refuses everything, being closed again too': ({ disk, folder }) => {
    const file = disk.open('test.open', `${folder}/a`, 'create');
    file.close();
    const buffer = new Uint8Array(1);
    const calls = [
      () => file.read('test.read', buffer, 0, 1, 0),
      () => file.write('test.write', buffer, 0, 1, 0),
      () => file.truncate('test.truncate', 0),
      () => file.size('test.size'),
      () => file.sync('test.sync'),
      () => file.close(),
    ];
    for (const call of calls) assert.throws(call, /closed?/);
  },

  'errors name the operation, the path and the errno': ({ disk, folder }) => {
    assert.throws(() => disk.open('test.open', `${folder}/a`, 'read'), {
      name: 'DiskError',
      code: 'ENOENT',
      op: 'test.open',
      path: `${folder}/a`,
    });
  },
};

const READING_AND_WRITING: Record<string, Case> = {
  'read() returns fewer bytes only at the end of the file': ({ disk, folder }) => {
    writeFile(disk, `${folder}/a`, 'abcdef');
    using(disk.open('test.open', `${folder}/a`, 'read'), (file) => {
      const into = bytes('......');
      assert.equal(file.read('test.read', into, 1, 3, 2), 3);
      assert.equal(text(into), '.cde..');
      assert.equal(file.read('test.read', into, 0, 6, 4), 2);
      assert.equal(text(into), 'efde..');
      assert.equal(file.read('test.read', into, 0, 6, 6), 0);
      assert.equal(file.read('test.read', into, 0, 6, 2 ** 40), 0);
      assert.equal(file.read('test.read', into, 6, 0, 0), 0);
    });
  },

  'write() takes part of a buffer and leaves a hole of zeros before it': ({ disk, folder }) => {
    using(disk.open('test.open', `${folder}/a`, 'create'), (file) => {
      file.write('test.write', bytes('.xyz.'), 1, 3, 2);
      assert.equal(file.size('test.size'), 5);
    });
    assert.equal(readFile(disk, `${folder}/a`), '\0\0xyz');
  },

  'write() past the end extends only when there are bytes to write': ({ disk, folder }) => {
    using(disk.open('test.open', `${folder}/a`, 'create'), (file) => {
      file.write('test.write', new Uint8Array(0), 0, 0, 100);
      assert.equal(file.size('test.size'), 0);
    });
  },

  'write() across blocks, far into a file, is read back': ({ disk, folder }) => {
    const position = 2 ** 31 + 4095;
    const written = Uint8Array.from({ length: 10_000 }, (_value, index) => index % 251);
    using(disk.open('test.open', `${folder}/a`, 'create'), (file) => {
      file.write('test.write', written, 0, written.length, position);
      const into = new Uint8Array(written.length + 2);
      assert.equal(file.read('test.read', into, 1, into.length - 1, position), written.length);
      assert.deepEqual(into, Uint8Array.of(0, ...written, 0));
    });
  },

  'several handles see the same bytes': ({ disk, folder }) => {
    using(disk.open('test.open', `${folder}/a`, 'create'), (writer) => {
      using(disk.open('test.open', `${folder}/a`, 'read'), (reader) => {
        writer.write('test.write', bytes('now'), 0, 3, 0);
        const into = new Uint8Array(3);
        assert.equal(reader.read('test.read', into, 0, 3, 0), 3);
        assert.equal(text(into), 'now');
      });
    });
  },

  'truncate() cuts, and grows by zeros without bringing anything back': ({ disk, folder }) => {
    writeFile(disk, `${folder}/a`, 'abcdef');
    using(disk.open('test.open', `${folder}/a`, 'update'), (file) => {
      file.truncate('test.truncate', 2);
      file.truncate('test.truncate', 4);
    });
    assert.equal(readFile(disk, `${folder}/a`), 'ab\0\0');
  },

  'ranges outside the buffer and positions before the file are refused': ({ disk, folder }) => {
    using(disk.open('test.open', `${folder}/a`, 'create'), (file) => {
      const buffer = new Uint8Array(4);
      for (const [offset, length, position] of [
        [0, 5, 0],
        [4, 1, 0],
        [-1, 1, 0],
        [0, -1, 0],
        [0, 1, -1],
        [0, 1, 0.5],
        [0, Number.NaN, 0],
      ] as const) {
        assert.throws(() => file.read('t', buffer, offset, length, position), RangeError);
        assert.throws(() => file.write('t', buffer, offset, length, position), RangeError);
      }
      assert.throws(() => file.truncate('t', -1), RangeError);
      assert.throws(() => file.truncate('t', 0.5), RangeError);
    });
    assert.equal(readFile(disk, `${folder}/a`), '');
  },

  'sync() of data and of folders changes nothing that is seen': ({ disk, folder }) => {
    using(disk.open('test.open', `${folder}/a`, 'create'), (file) => {
      file.write('test.write', bytes('data'), 0, 4, 0);
      file.sync('test.sync');
    });
    disk.syncDirectory('test.sync', folder);
    assert.equal(readFile(disk, `${folder}/a`), 'data');
  },
};

const NAMES: Record<string, Case> = {
  'rename() replaces, and open handles stay with their file': ({ disk, folder }) => {
    writeFile(disk, `${folder}/a`, 'from a');
    writeFile(disk, `${folder}/b`, 'from b');
    using(disk.open('test.open', `${folder}/b`, 'read'), (replaced) => {
      using(disk.open('test.open', `${folder}/a`, 'read'), (moved) => {
        disk.rename('test.rename', `${folder}/a`, `${folder}/b`);
        assert.equal(readAll(moved), 'from a');
        assert.equal(readAll(replaced), 'from b');
      });
    });
    assert.deepEqual(disk.list('test.list', folder), ['b']);
    assert.equal(readFile(disk, `${folder}/b`), 'from a');
  },

  'rename() onto itself changes nothing': ({ disk, folder }) => {
    writeFile(disk, `${folder}/a`, 'same');
    disk.rename('test.rename', `${folder}/a`, `${folder}/a`);
    assert.equal(readFile(disk, `${folder}/a`), 'same');
  },

  'rename() moves folders with what is in them': ({ disk, folder }) => {
    disk.makeDirectory('test.mkdir', `${folder}/x/inner`);
    disk.makeDirectory('test.mkdir', `${folder}/empty`);
    writeFile(disk, `${folder}/x/inner/a`, 'deep');
    disk.rename('test.rename', `${folder}/x`, `${folder}/empty`);
    assert.deepEqual(disk.list('test.list', folder), ['empty']);
    assert.equal(readFile(disk, `${folder}/empty/inner/a`), 'deep');
  },

  'rename() refuses what cannot be': ({ disk, folder }) => {
    disk.makeDirectory('test.mkdir', `${folder}/x/inner`);
    disk.makeDirectory('test.mkdir', `${folder}/y`);
    writeFile(disk, `${folder}/a`, 'a');
    const rename = (from: string, to: string) => (): void =>
      disk.rename('test.rename', `${folder}/${from}`, `${folder}/${to}`);
    refuses('ENOENT', rename('none', 'b'));
    refuses('ENOENT', rename('a', 'none/b'));
    refuses('ENOTDIR', rename('x', 'a'));
    refuses('EISDIR', rename('a', 'y'));
    refuses('ENOTEMPTY', rename('y', 'x'));
    refuses('EINVAL', rename('x', 'x/inner/x'));
    assert.deepEqual(disk.list('test.list', folder), ['a', 'x', 'y']);
  },

  'remove() takes the name, an open handle keeps the bytes': ({ disk, folder }) => {
    writeFile(disk, `${folder}/a`, 'kept');
    using(disk.open('test.open', `${folder}/a`, 'read'), (file) => {
      disk.remove('test.remove', `${folder}/a`);
      assert.equal(disk.stat('test.stat', `${folder}/a`), undefined);
      writeFile(disk, `${folder}/a`, 'another');
      assert.equal(readAll(file), 'kept');
    });
  },

  'remove() of what does not exist is no error, of a folder it is': ({ disk, folder }) => {
    writeFile(disk, `${folder}/a`, '');
    disk.remove('test.remove', `${folder}/none`);
    disk.remove('test.remove', `${folder}/none/none`);
    disk.remove('test.remove', `${folder}/a/none`);
    refuses('EISDIR', () => disk.remove('test.remove', folder));
  },
};

const FOLDERS: Record<string, Case> = {
  'makeDirectory() makes parents and accepts what exists': ({ disk, folder }) => {
    disk.makeDirectory('test.mkdir', `${folder}/a/b/c`);
    disk.makeDirectory('test.mkdir', `${folder}/a/b/c`);
    assert.deepEqual(disk.list('test.list', `${folder}/a/b`), ['c']);
  },

  'makeDirectory() refuses a file in the way': ({ disk, folder }) => {
    writeFile(disk, `${folder}/a`, '');
    refuses('EEXIST', () => disk.makeDirectory('test.mkdir', `${folder}/a`));
    refuses('ENOTDIR', () => disk.makeDirectory('test.mkdir', `${folder}/a/b`));
  },

  'removeDirectory() takes everything below': ({ disk, folder }) => {
    disk.makeDirectory('test.mkdir', `${folder}/a/b`);
    writeFile(disk, `${folder}/a/file`, '');
    writeFile(disk, `${folder}/a/b/file`, '');
    disk.removeDirectory('test.rmdir', `${folder}/a`);
    assert.deepEqual(disk.list('test.list', folder), []);
  },

  'removeDirectory() of what does not exist is no error, of a file it is': ({ disk, folder }) => {
    writeFile(disk, `${folder}/a`, '');
    disk.removeDirectory('test.rmdir', `${folder}/none`);
    disk.removeDirectory('test.rmdir', `${folder}/a/none`);
    refuses('ENOTDIR', () => disk.removeDirectory('test.rmdir', `${folder}/a`));
  },

  'list() sorts names by their code units': ({ disk, folder }) => {
    for (const name of ['b', 'a', 'ä', 'B', '10', '9']) writeFile(disk, `${folder}/${name}`, '');
    assert.deepEqual(disk.list('test.list', folder), ['10', '9', 'B', 'a', 'b', 'ä']);
    refuses('ENOENT', () => disk.list('test.list', `${folder}/none`));
    refuses('ENOTDIR', () => disk.list('test.list', `${folder}/a`));
  },

  'stat() tells files from folders, and is undefined for nothing': ({ disk, folder }) => {
    writeFile(disk, `${folder}/a`, 'four');
    const file = disk.stat('test.stat', `${folder}/a`);
    assert.deepEqual([file?.sizeBytes, file?.isDirectory], [4, false]);
    assert.equal(disk.stat('test.stat', folder)?.isDirectory, true);
    assert.equal(disk.stat('test.stat', `${folder}/none`), undefined);
    assert.equal(disk.stat('test.stat', `${folder}/none/none`), undefined);
    assert.equal(disk.stat('test.stat', `${folder}/a/none`), undefined);
  },

  'syncDirectory() needs a folder': ({ disk, folder }) => {
    writeFile(disk, `${folder}/a`, '');
    refuses('ENOENT', () => disk.syncDirectory('test.sync', `${folder}/none`));
    refuses('ENOTDIR', () => disk.syncDirectory('test.sync', `${folder}/a`));
  },

  'space() is there for any path that exists': ({ disk, folder }) => {
    const { totalBytes, availableBytes } = disk.space('test.space', folder);
    assert.ok(availableBytes > 0 && availableBytes <= totalBytes);
    refuses('ENOENT', () => disk.space('test.space', `${folder}/none`));
  },
};

function refuses(code: string, call: () => unknown): void {
  assert.throws(call, { name: 'DiskError', code });
}

function using(file: DiskFile, use: (file: DiskFile) => void): void {
  try {
    use(file);
  } finally {
    file.close();
  }
}

function writeFile(disk: Disk, path: string, content: string): void {
  using(disk.open('test.open', path, 'create'), (file) => {
    const encoded = bytes(content);
    file.write('test.write', encoded, 0, encoded.length, 0);
  });
}

function readFile(disk: Disk, path: string): string {
  let content = '';
  using(disk.open('test.open', path, 'read'), (file) => {
    content = readAll(file);
  });
  return content;
}

function readAll(file: DiskFile): string {
  const into = new Uint8Array(file.size('test.size'));
  assert.equal(file.read('test.read', into, 0, into.length, 0), into.length);
  return text(into);
}

function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

function text(content: Uint8Array): string {
  return new TextDecoder().decode(content);
}
