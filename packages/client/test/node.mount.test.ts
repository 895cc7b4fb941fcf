// An application on a node that runs: as another user, and while its daemon is killed.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import {
  AS_NOBODY,
  canRunAsNobody,
  ClusterNode,
  NOBODY,
  onTestEnd,
  requirePart,
  SOURCE_FLAGS,
  tempDir,
  waitUntil,
  watchMounts,
} from '@skein/testkit';

import { connectNode } from '../src/connect-node.ts';
import { outcomeOf, type SkeinError } from '../src/errors.ts';
import { openDatabase } from '../src/open-database.ts';

const TIMEOUT_MS = 300_000;

function createNode(t: TestContext, folder = tempDir(t)): ClusterNode {
  watchMounts(t, folder, TIMEOUT_MS);
  const node = new ClusterNode({ name: 'node1', folder: join(folder, 'node1'), config: {} });
  onTestEnd(t, () => node.stop());
  return node;
}

/** Writes until that fails, since another process kills the daemon: this one does nothing else. */
async function writeUntilKilled(
  daemon: ClusterNode,
  write: () => void,
): Promise<{ readonly acknowledged: number; readonly thrown: SkeinError }> {
  write();
  let acknowledged = 1;
  spawn('sh', ['-c', `sleep 0.3; kill -9 ${daemon.pid}`], { stdio: 'ignore' });
  try {
    for (;;) {
      write();
      acknowledged += 1;
    }
  } catch (error) {
    await daemon.kill();
    return { acknowledged, thrown: error as SkeinError };
  }
}

describe('An application on a node', () => {
  test('that is killed is told that it does not know what became of a commit', async (t) => {
    if (!requirePart(t, 'fuse', 'root')) return;
    const daemon = createNode(t);
    await daemon.start();
    const { mountpoint: mountPath, dataFolder: dataPath } = daemon;
    const node = await connectNode({ mountPath, dataPath, enabled: true });
    onTestEnd(t, () => node.close());
    const database = openDatabase(node, { database: 'app.db' });
    onTestEnd(t, () => void database.close());
    database.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)');
    const insert = database.prepare('INSERT INTO t VALUES (NULL)');
    const count = database.prepare('SELECT count(*) FROM t').pluck();
    const insertInTransaction = database.transaction(() => insert.run());

    for (const write of [() => insert.run(), () => insertInTransaction()]) {
      const before = count.get() as number;
      const { acknowledged, thrown } = await writeUntilKilled(daemon, write);
      const isGone = (): Promise<boolean> => Promise.resolve(node.state.role === 'no-primary');
      await waitUntil('the node is gone', isGone, TIMEOUT_MS);
      await daemon.start();
      const isBack = (): Promise<boolean> => Promise.resolve(node.isPrimary);
      await waitUntil('the node is back', isBack, TIMEOUT_MS);

      const unknown = (count.get() as number) - before - acknowledged;
      // A transaction may have been hit before its commit: then it is known to be lost.
      const most = outcomeOf(thrown) === 'unknown' ? 1 : 0;
      assert.ok(unknown >= 0 && unknown <= most, `${unknown} ${thrown.code}`);
      if (outcomeOf(thrown) === 'unknown') assert.equal(thrown.code, 'OUTCOME_UNKNOWN');
      // SQLite names the call that failed: of the journal's, the first is to open it.
      else assert.match(thrown.code, /^SQLITE_(IOERR|CANTOPEN)/);
    }
  });

  test('of another user follows it where the data folder lets it pass', async (t) => {
    if (!canRunAsNobody(t, import.meta.filename)) return;
    const folder = tempDir(t);
    chmodSync(folder, 0o755);
    const daemon = createNode(t, folder);
    mkdirSync(daemon.dataFolder);
    chmodSync(daemon.dataFolder, 0o710);
    chownSync(daemon.dataFolder, 0, NOBODY);
    await daemon.start();
    const { mountpoint: mountPath, dataFolder: dataPath } = daemon;
    const script = `
      import { request } from 'node:http';
      import { connectNode } from '@skein/client';
      const node = await connectNode(${JSON.stringify({ mountPath, dataPath, enabled: true })});
      console.log(process.getuid(), node.state.role);
      const asked = request({ socketPath: ${JSON.stringify(join(dataPath, 'api.sock'))} }).end();
      asked.on('error', ({ code }) => console.log(code));
      await node.close();
    `;
    const [program, ...prefix] = AS_NOBODY;
    const args = [
      ...prefix,
      process.execPath,
      ...SOURCE_FLAGS,
      '--input-type=module',
      '-e',
      script,
    ];
    const { stdout, stderr } = spawnSync(program, args, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
    });
    assert.equal(stdout, `${NOBODY} primary\nEACCES\n`, stderr);
    assert.ok(readFileSync(join(dataPath, 'node.json')).length > 0);
  });
});
