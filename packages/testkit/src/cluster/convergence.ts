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
const TIMEOUT_MS = 60_000;

/**
 * Waits until all nodes stand where the first one stands, then compares all their databases. Nobody
 * may write meanwhile. Throws with the difference.
 */
export async function assertConverged(
  nodes: readonly ClusterNode[],
  timeoutMs: number = TIMEOUT_MS,
): Promise<void> {
  const [first, ...others] = nodes;
  if (first === undefined) throw new RangeError('There is nothing to compare');
  const expected = await first.positions();
  for (const node of others) await waitForPositions(node, expected, timeoutMs);
  for (const name of expected.keys()) {
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

async function waitForPositions(
  node: ClusterNode,
  expected: ReadonlyMap<string, string>,
  timeoutMs: number,
): Promise<void> {
  let last = new Map<string, string>();
  try {
    const isThere = async (): Promise<boolean> => {
      last = await node.positions();
      return describePositions(last) === describePositions(expected);
    };
    await waitUntil(`${node.name} has all that there is`, isThere, timeoutMs);
  } catch (cause) {
    const [is, wanted] = [last, expected].map(describePositions);
    throw new Error(`${node.name} stands at\n${is}\ninstead of\n${wanted}\n${node.lastWords}`, {
      cause,
    });
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
  const client = new SqliteProcess({ driver: 'node-sqlite' });
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
