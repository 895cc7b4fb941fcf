import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { nodeDisk } from '@skein/host';
import { RecordingLog, tempDir } from '@skein/testkit';

import { ClusterMemoryFile } from './cluster-memory-file.ts';

const MEMORY = {
  clusterId: 'LFSC0123456789ABCDEF',
  peers: [{ name: 'node2', url: 'http://node2:20202/', seenMs: 5 }],
  lastPrimary: { name: 'node2', url: 'http://node2:20202/' },
};

test('ClusterMemoryFile keeps what is known, and says when that is damaged', (t) => {
  const folder = tempDir(t);
  const log = new RecordingLog();
  const open = (): ClusterMemoryFile => new ClusterMemoryFile(nodeDisk, folder, log);
  assert.equal(open().load(), undefined);
  open().save({ clusterId: undefined, peers: [] });
  assert.deepEqual(open().load()?.peers, []);
  open().save(MEMORY);
  assert.deepEqual(open().load(), MEMORY);
  log.expectNone('warn');

  const path = join(folder, 'cluster.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace('node2', 'node3'));
  assert.equal(open().load(), undefined);
  log.expectOne('warn', /damaged/);
});
