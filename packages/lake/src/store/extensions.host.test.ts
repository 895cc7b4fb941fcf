import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { before, describe, test, type TestContext } from 'node:test';

import { RecordingLog, skipTest, tempDir } from '@skein/testkit';

import type { StoreError } from './errors.ts';
import { fileNameOf } from './extension-files.ts';
import { installByPip } from './extension-sources.ts';
import { type ExtensionFetcher, provideExtensions } from './extensions.ts';

/** Shared by all tests of the lake: fetched once a checkout. */
const CACHE = join(import.meta.dirname, '../../../../.tools/duckdb-extensions');

const log = new RecordingLog();

/** Puts real extensions there, and counts how often it is asked. */
function fetcherOf(folder: string): ExtensionFetcher & { readonly calls: string[][] } {
  const calls: string[][] = [];
  return {
    label: 'copy',
    calls,
    fetch: (names, into) => {
      calls.push([...names]);
      for (const name of names)
        copyFileSync(join(folder, fileNameOf(name)), join(into, fileNameOf(name)));
      return Promise.resolve();
    },
  };
}

describe('provideExtensions()', () => {
  let real: string | undefined;
  let whyNone = '';

  before(async () => {
    try {
      const { ducklake } = await provideExtensions({ cacheFolder: CACHE, needsHttpfs: true, log });
      real = join(ducklake, '..');
    } catch (error) {
      whyNone = (error as StoreError).message;
    }
  });

  function realFolder(t: TestContext): string | undefined {
    if (real === undefined) skipTest(t, whyNone);
    return real;
  }

  test('takes what the configured folder has, and fetches nothing', async (t) => {
    const folder = realFolder(t);
    if (folder === undefined) return;
    const cacheFolder = join(tempDir(t), 'cache');
    const found = await provideExtensions({ folder, cacheFolder, needsHttpfs: false, log });
    assert.equal(found.ducklake, join(folder, 'ducklake.duckdb_extension'));
    assert.equal(found.sqliteScanner, join(folder, 'sqlite_scanner.duckdb_extension'));
    assert.equal(found.httpfs, undefined);
    assert(!existsSync(cacheFolder));
  });

  test('fetches what is missing once, also when several start at once', async (t) => {
    const folder = realFolder(t);
    if (folder === undefined) return;
    const cacheFolder = join(tempDir(t), 'cache');
    const fetcher = fetcherOf(folder);
    const options = {
      cacheFolder,
      needsHttpfs: true,
      log,
      fetchers: [fetcher],
      duckDbFolder: '/-',
    };
    const starts = await Promise.all([1, 2, 3].map(() => provideExtensions(options)));
    assert.deepEqual(fetcher.calls, [['ducklake', 'sqlite_scanner', 'httpfs']]);
    for (const found of starts) assert(found.httpfs!.startsWith(`${cacheFolder}/v`));
    const left = readdirSync(cacheFolder).filter((name) => name.startsWith('fetching-'));
    assert.deepEqual(left, []);
  });

  test('does not take a file of which a bit has flipped, and fetches another', async (t) => {
    const folder = realFolder(t);
    if (folder === undefined) return;
    const own = tempDir(t);
    const bytes = readFileSync(join(folder, 'ducklake.duckdb_extension'));
    bytes[1_000_000]! ^= 1;
    writeFileSync(join(own, 'ducklake.duckdb_extension'), bytes);
    const fetcher = fetcherOf(folder);
    const found = await provideExtensions({
      folder: own,
      cacheFolder: join(own, 'cache'),
      needsHttpfs: false,
      log,
      fetchers: [fetcher],
      duckDbFolder: '/-',
    });
    assert.match(found.ducklake, /\/cache\//);
    assert.deepEqual(fetcher.calls, [['ducklake', 'sqlite_scanner']]);
  });

  test('says what it has tried and what to do when there is none', async (t) => {
    const folder = tempDir(t);
    const duckDbFolder = join(folder, 'duckdb');
    mkdirSync(duckDbFolder);
    const fetchers: ExtensionFetcher[] = [
      { label: 'refuses', fetch: () => Promise.reject(new Error('no route to host')) },
      { label: 'brings nothing', fetch: () => Promise.resolve() },
      {
        label: 'brings something else',
        fetch: (names, into) => {
          for (const name of names) writeFileSync(join(into, fileNameOf(name)), 'not an extension');
          return Promise.resolve();
        },
      },
    ];
    const options = { folder, cacheFolder: join(folder, 'cache'), fetchers, duckDbFolder };
    await assert.rejects(
      provideExtensions({ ...options, needsHttpfs: false, log }),
      (error: StoreError) => {
        assert.equal(error.code, 'LAKE_EXTENSION_MISSING');
        assert.match(error.message, /has no extension ducklake, sqlite_scanner for \w+/);
        assert.match(error.message, /the configured folder .* has no ducklake/);
        assert.match(error.message, /refuses: no route to host/);
        assert.match(error.message, /brings nothing: ducklake: it brought no file/);
        assert.match(error.message, /brings something else: ducklake: .*not/i);
        assert.match(error.hint!, /engine\.extensions/);
        return true;
      },
    );
    const left = readdirSync(join(folder, 'cache'), { recursive: true, withFileTypes: true });
    assert.deepEqual(
      left.filter((entry) => entry.isFile()).map(({ name }) => name),
      ['lock'],
    );
  });

  test('needs no home of the user', async (t) => {
    const folder = realFolder(t);
    if (folder === undefined) return;
    const { HOME } = process.env;
    delete process.env['HOME'];
    try {
      const options = { folder, cacheFolder: join(tempDir(t), 'cache'), needsHttpfs: true, log };
      assert.equal((await provideExtensions(options)).httpfs, join(folder, fileNameOf('httpfs')));
    } finally {
      if (HOME !== undefined) process.env['HOME'] = HOME;
    }
  });

  test('does not ask the network when it may not', async (t) => {
    const fetcher = fetcherOf('/');
    const options = { cacheFolder: tempDir(t), needsHttpfs: false, log, duckDbFolder: '/-' };
    const provided = provideExtensions({ ...options, fetchers: [fetcher], mayFetch: false });
    await assert.rejects(provided, { code: 'LAKE_EXTENSION_MISSING' });
    assert.deepEqual(fetcher.calls, []);
  });

  test('takes the Python packages of the same version', async (t) => {
    if (realFolder(t) === undefined) return;
    const folder = tempDir(t);
    try {
      await installByPip(['ducklake'], folder, { version: 'v1.5.5', platform: 'linux_amd64' });
    } catch (error) {
      skipTest(t, `No Python packages here: ${String(error)}`);
      return;
    }
    assert(existsSync(join(folder, 'ducklake.duckdb_extension')));
    await assert.rejects(
      installByPip(['ducklake'], folder, { version: 'v0.0.1', platform: 'linux_amd64' }),
      /No matching distribution|duckdb-extension-ducklake/,
    );
  });
});
