// Clients that write on a primary while a test does something to its replicas: one in each of two
// databases, in WAL mode and with a journal.

import type { TestContext } from 'node:test';
import { join } from 'node:path';

import type { SqliteProcess } from '@skein/testkit';

import { connect } from './test-cluster.ts';

const JOURNAL_MODES = ['wal', 'delete'];
const ROW_COUNT = 100;
const BLOB_BYTES = 3000;
/** Now and then pages are given back. */
const VACUUM_EVERY = 50;

export interface Load {
  /** Rejects with the error of a client, if there was one: nothing may disturb them. */
  stop(): Promise<void>;
}

export async function startLoad(t: TestContext, mountpoint: string): Promise<Load> {
  const state = { isStopping: false };
  const clients = await Promise.all(
    JOURNAL_MODES.map(async (mode) => {
      const client = await connect(t, join(mountpoint, `${mode}.db`));
      await client.exec('PRAGMA auto_vacuum = INCREMENTAL');
      await client.exec(`PRAGMA journal_mode = ${mode}`);
      await client.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, v)');
      return client;
    }),
  );
  const ends = Promise.all(clients.map((client) => write(client, state)));
  // Whoever stops the load is told; until then it is nobody's.
  ends.catch(() => undefined);
  return {
    async stop() {
      state.isStopping = true;
      await ends;
    },
  };
}

async function write(
  client: SqliteProcess,
  state: { readonly isStopping: boolean },
): Promise<void> {
  for (let i = 1; !state.isStopping; i += 1) {
    await client.exec('REPLACE INTO t VALUES (?, randomblob(?))', [i % ROW_COUNT, BLOB_BYTES]);
    if (i % VACUUM_EVERY !== 0) continue;
    await client.exec('DELETE FROM t WHERE id % 2 = 0');
    await client.exec('PRAGMA incremental_vacuum');
  }
  await client.kill();
}
