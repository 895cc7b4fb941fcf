// Whether all nodes have the same: after every fault and a quiet second they must. Positions are
// compared first, which tell checksums of the whole databases; then the bytes, twice: as the node
// exports them, and as SQLite reads them through the mount in a process of its own.

import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { SqliteProcess } from '../sqlite/sqlite-process.ts';
import { fetchToFile } from '../daemon/ask-daemon.ts';
import type { ClusterNode } from './cluster-node.ts';
import { waitUntil } from './wait-until.ts';

/** Restarted nodes connect again within seconds, and may have minutes of log to catch up on. */
const TIMEOUT_MS = 180_000;
/** A database of gigabytes is read, written and checked. */
const READ_TIMEOUT_MS = 900_000;

/**
 * Waits until all nodes stand at the same place, then compares all their databases. Nobody may
 * write meanwhile. Throws with the difference.
 */
export async function assertConverged(
  nodes: readonly ClusterNode[],
  timeoutMs: number = TIMEOUT_MS,
): Promise<void> {
  const [first, ...others] = nodes;
  if (first === undefined) throw new RangeError('There is nothing to compare');
  await waitForEqualPositions(nodes, timeoutMs);
  for (const name of (await first.positions()).keys()) {
    const expectedDigests = await digestsOf(first, name);
    for (const node of others) {
      const digests = await digestsOf(node, name);
      for (const [what, digest] of Object.entries(expectedDigests)) {
        if (digests[what] === digest) continue;
        throw new Error(`${name} differs between ${first.name} and ${node.name}: ${what}`);
      }
    }
  }
}

async function waitForEqualPositions(
  nodes: readonly ClusterNode[],
  timeoutMs: number,
): Promise<void> {
  let last: string[] = [];
  const areEqual = async (): Promise<boolean> => {
    const positions = await Promise.all(nodes.map((node) => node.positions()));
    last = positions.map(describePositions);
    return last.every((each) => each === last[0]);
  };
  try {
    await waitUntil('all nodes stand at the same place', areEqual, timeoutMs);
  } catch (cause) {
    const places = nodes.map(
      (node, index) => `${node.name} stands at\n${last[index]}\n${node.lastWords}`,
    );
    throw new Error(places.join('\n'), { cause });
  }
}

function describePositions(positions: ReadonlyMap<string, string>): string {
  return [...positions]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, position]) => `${name} ${position}`)
    .join('\n');
}

/** Of one database, by what was looked at. */
async function digestsOf(node: ClusterNode, name: string): Promise<Record<string, string>> {
  const folder = join(node.folder, 'compared');
  mkdirSync(folder, { recursive: true });
  try {
    const exported = join(folder, 'exported.db');
    await fetchToFile(node.dataFolder, `/v1/databases/${encodeURIComponent(name)}`, exported);
    const vacuumed = join(folder, 'vacuumed.db');
    await readThroughMount(node.path(name), vacuumed);
    return {
      'bytes that the node exports': await digestFile(exported),
      'content that SQLite reads': await digestFile(vacuumed),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Everything that SQLite sees; VACUUM makes equal files of equal content. */
async function readThroughMount(path: string, into: string): Promise<void> {
  // The one that writes in workloads: versions of SQLite differ in length() of some texts, and then
  // find each other's indexes of it damaged.
  const client = new SqliteProcess({ driver: 'python', timeoutMs: READ_TIMEOUT_MS });
  try {
    await client.open(path, { isReadOnly: true, busyTimeoutMs: 5000 });
    await client.exec('VACUUM INTO ?', [into]);
    const integrity = String(await client.value('PRAGMA integrity_check'));
    if (integrity !== 'ok') throw new Error(`${path} is damaged: ${integrity}`);
  } finally {
    await client.kill();
  }
}

async function digestFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
