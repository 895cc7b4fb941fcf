// What a primary has committed, as it is sent to a replica, and what each transaction leads to. The
// pages after it are computed here, from the LTX files alone.

import assert from 'node:assert/strict';

import { readWhole } from '@skein/bytes';
import { bytesSource, LtxReader } from '@skein/ltx';
import { SimDisk } from '@skein/testkit';

import { maybeReadLogged } from '../src/replica/logged.ts';
import type { Pages } from './sample-database.ts';
import { DATA_FOLDER } from './sim-node.ts';
import type { SentLtx } from './sent-ltx.ts';
import { createWorld, type Scenario } from './world.ts';

/** Runs a scenario on a primary that keeps all of its log. */
export function primaryHistory(scenario: Scenario, seed: number): readonly SentLtx[] {
  const engine = { ...scenario.engine, retentionMs: 1e12, retentionBytesMax: 1e12 };
  const disk = new SimDisk({ seed });
  const { node, actor } = createWorld({ ...scenario, engine }, seed, disk);
  scenario.act(actor);
  node.rest();
  const { log, epoch } = node.engine;
  log.sync();
  const history: SentLtx[] = [];
  const databases = new Map<string, Pages>();
  for (let lsn = 1; lsn <= log.durableLsn; lsn++) {
    const logged = maybeReadLogged({ disk, log, folder: `${DATA_FOLDER}/log` }, lsn);
    assert(logged !== undefined, `Record ${lsn} is not in the log`);
    for (const { entry, source } of logged) {
      const bytes = new Uint8Array(entry.ltxBytes);
      assert(readWhole(source, bytes, 0), 'A transaction ends too early');
      const pages = applied(databases.get(entry.database) ?? [], bytes);
      databases.set(entry.database, pages);
      history.push({ database: entry.database, epoch, bytes, txid: entry.maxTxid, pages });
    }
  }
  node.close();
  return history;
}

function applied(before: Pages, bytes: Uint8Array): Pages {
  const reader = new LtxReader(bytesSource(bytes), { version: 1 });
  const { pageSize, commit } = reader.header;
  const pages = [...before];
  for (let page = reader.next(); page !== undefined; page = reader.next()) {
    pages[page.pgno - 1] = page.bytes.slice(page.start, page.start + pageSize);
  }
  pages.length = commit;
  return pages;
}
