// The folders of one lake, which are all that its process sees from then on.
//
// DuckDB's extensions are fetched before: that takes a package manager, and it a whole machine.
// What a missed check could still reach is what the lake itself has: its files, its scratch folder,
// and the folder of its catalog, which on a mount has the other databases of the node.

import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import type { Log } from '@skein/host';

import type { LakeConfig } from './config/lake-config.ts';
import { tryConfine } from './confine.ts';
import { provideExtensions } from './store/extensions.ts';
import { isObjectPath } from './store/object-location.ts';

/** Where the configuration may be, besides where the command line says. */
const CONFIG_FILES = ['lake.yml', 'lake.yaml', 'seafowl.toml'];

export interface ConfineOptions {
  readonly config: LakeConfig;
  readonly log: Log;
  readonly cwd: string;
  /** The configuration's file, if one was named. */
  readonly file: string | undefined;
}

/** Starts the program again, confined; returns only where the kernel cannot. */
export async function confineLake(options: ConfineOptions): Promise<void> {
  const { config, log, cwd, file } = options;
  const { catalogPath, dataPath, scratchFolder, cacheFolder, exportFolder } = config;
  const isInStore = isObjectPath(dataPath);
  const writePaths = [scratchFolder, cacheFolder];
  if (!isInStore) writePaths.push(dataPath);
  if (exportFolder !== undefined) writePaths.push(exportFolder);
  for (const path of writePaths) await mkdir(path, { recursive: true });
  if (config.nodeFolder === undefined) await mkdir(dirname(catalogPath), { recursive: true });
  const extensions = await provideExtensions({
    folder: config.extensionsFolder,
    cacheFolder: join(scratchFolder, 'extensions'),
    needsHttpfs: isInStore,
    log,
  });
  const extensionPaths = [extensions.ducklake, extensions.sqliteScanner, extensions.httpfs];
  const certificates = process.env['NODE_EXTRA_CA_CERTS'];
  tryConfine(
    {
      readPaths: [
        ...(file === undefined ? CONFIG_FILES : [file]).map((name) => resolve(cwd, name)),
        ...extensionPaths.flatMap((path) => (path === undefined ? [] : [dirname(path)])),
        ...config.external.allowFolders,
        ...(config.pageFolder === undefined ? [] : [config.pageFolder]),
        ...(certificates === undefined ? [] : [certificates]),
      ],
      writePaths: [...writePaths, dirname(catalogPath)],
    },
    process.env,
  );
  log.warn('The kernel has no Landlock: only the checks of the lake keep it to its folders');
}
