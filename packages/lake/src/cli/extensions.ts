// skein lake extensions: DuckDB's extensions into a folder, for machines without a network and for
// images.

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { createNodeLog } from '@skein/host';

import { provideExtensions } from '../store/extensions.ts';
import { LakeUsageError } from './errors.ts';
import type { Surroundings } from './surroundings.ts';

export const EXTENSIONS_HELP = `Usage: skein lake extensions <folder>

Fetches the extensions of DuckDB that a lake needs into a folder, from DuckDB's repository or the
Python packages of the same version. Name it as engine.extensions on a machine without a network.

Example:
  skein lake extensions ./duckdb-extensions
`;

export async function fetchExtensions(
  args: readonly string[],
  { cwd, stdout }: Surroundings,
): Promise<void> {
  const { positionals } = parseArgs({ args: [...args], allowPositionals: true, options: {} });
  const [folder, ...rest] = positionals;
  if (folder === undefined || rest.length > 0) throw new LakeUsageError('say one folder');
  const cacheFolder = resolve(cwd, folder);
  const found = await provideExtensions({
    cacheFolder,
    needsHttpfs: true,
    log: createNodeLog(),
    // What this machine has of its own would not be in the folder.
    duckDbFolder: cacheFolder,
  });
  for (const path of Object.values(found)) stdout.write(`${String(path)}\n`);
}
