// The databases of a node as its log alone tells them: the log of a node, in a folder without any
// database, is recovered from its first record on.

import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

import { DEFAULT_ENGINE_OPTIONS, Engine, type Pending } from '@skein/engine';
import { nodeDisk, nodeFileLocks, systemClock, systemRandom } from '@skein/host';
import {
  nullMetrics,
  RecordingLog,
  SimBackgroundIo,
  tempDir,
  type TestScope,
} from '@skein/testkit';

/** The engine's world without a mount: nobody has anything open. */
const NO_MOUNT = {
  kernel: {
    forgetContent: () => {},
    forgetRanges: () => {},
    store: () => {},
    forgetName: () => {},
    removed: () => {},
  },
  locks: {
    holdsExclusively: () => false,
    exclude: (_database: string, done: (outcome: { end(): void }) => void) =>
      done({ end: () => {} }),
  },
  memory: {
    map: () => ({
      bytes: new Uint8Array(0),
      publish: (): Pending | undefined => undefined,
      publishRanges: (): Pending | undefined => undefined,
    }),
  },
  replicaLocks: { hasEnded: false, join: () => {} },
};

/**
 * The content of every database that exists, by name. Nothing may be committed meanwhile; the log
 * must reach back to its beginning.
 */
export function replayLog(t: TestScope, dataFolder: string): Map<string, Buffer> {
  const folder = replayInto(t, dataFolder);
  return new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
}

/** The same as files in a folder of their own. */
export function replayInto(t: TestScope, dataFolder: string): string {
  const folder = tempDir(t);
  cpSync(join(dataFolder, 'log'), join(folder, 'log'), { recursive: true });
  const background = new SimBackgroundIo();
  const engine = Engine.open(
    {
      disk: nodeDisk,
      fileLocks: nodeFileLocks,
      background,
      clock: systemClock,
      random: systemRandom,
      log: new RecordingLog(),
      metrics: nullMetrics,
      ...NO_MOUNT,
    },
    { ...DEFAULT_ENGINE_OPTIONS, dataFolder: folder, canPassThrough: false },
  );
  const existing = [...engine.store.databases].filter(({ database }) => database.exists);
  const names = existing.map(({ name }) => name);
  engine.close();
  background.runBackground();
  const replayed = join(folder, 'replayed');
  mkdirSync(replayed);
  for (const name of names) {
    renameSync(join(folder, 'dbs', name, 'database'), join(replayed, name));
  }
  return replayed;
}
