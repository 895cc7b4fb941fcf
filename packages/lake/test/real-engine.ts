// The engine as it is shipped, on a lake of its own in a folder.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { RecordingLog, tempDir, type TestScope } from '@skein/testkit';

import { createLakeEngine } from '../src/engine/engine.ts';
import type { EngineConfig, LakeEngine } from '../src/engine/ports.ts';
import { alwaysWriter } from '../src/engine/role-sources.ts';
import { provideExtensions } from '../src/store/extensions.ts';

/** Shared by all tests: fetched once a checkout. */
export const EXTENSIONS_CACHE: string = join(
  import.meta.dirname,
  '../../../.tools/duckdb-extensions',
);

export async function createRealEngine(
  t: TestScope,
  changes: Partial<EngineConfig> = {},
): Promise<LakeEngine> {
  return createLakeEngine({ ...(await realConfig(t)), ...changes });
}

/** Of a writer on a lake of its own. */
export async function realConfig(t: TestScope, needsHttpfs = false): Promise<EngineConfig> {
  const folder = tempDir(t);
  const [data, scratch] = [join(folder, 'data'), join(folder, 'scratch')];
  for (const each of [data, scratch]) mkdirSync(each);
  const extensions = await provideExtensions({
    cacheFolder: EXTENSIONS_CACHE,
    needsHttpfs,
    log: new RecordingLog(),
  });
  return {
    catalogPath: join(folder, 'catalog.db'),
    dataPath: `${data}/`,
    extensions,
    role: alwaysWriter(),
    externalTables: {
      allowHosts: [],
      allowPrivate: false,
      maxBytes: 1_000_000_000,
      timeoutMs: 60_000,
      allowFolders: [],
    },
    scratchFolder: scratch,
    maintenance: {
      intervalMs: 0,
      inlineRowsMax: 10,
      flushRows: 1000,
      flushAfterMs: 60_000,
      targetFileBytes: 100_000_000,
      keepSnapshotsMs: 0,
      keepFilesMs: 0,
    },
  };
}
