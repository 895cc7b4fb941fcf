import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseLakeOptions } from './options.ts';

test('parseLakeOptions() has a writer, three readers and port 8080 unless told otherwise', () => {
  assert.deepEqual(parseLakeOptions([], '/clone'), {
    readerCount: 3,
    port: 8080,
    isFresh: false,
    folder: '/clone/.lake',
    isOffline: false,
  });
  const argv = ['--readers', '1', '--port', '9000', '--fresh', '--folder', '/x', '--offline'];
  assert.deepEqual(parseLakeOptions(argv, '/clone'), {
    readerCount: 1,
    port: 9000,
    isFresh: true,
    folder: '/x',
    isOffline: true,
  });
});

test('parseLakeOptions() refuses what cannot be', () => {
  for (const argv of [['--readers', '0'], ['--readers', '10'], ['--port', '70000'], ['--what']]) {
    assert.throws(() => parseLakeOptions(argv, '/clone'), String(argv));
  }
});
