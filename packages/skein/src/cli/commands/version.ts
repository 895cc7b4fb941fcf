// skein version: of this program and of what it stands on.

import { release } from 'node:os';

import type { Command } from 'commander';

import { SKEIN_VERSION } from '../../version.ts';
import type { CommandContext } from '../command-context.ts';
import { formatPairs } from '../table.ts';

/** Which files `skein ltx` reads: V1 is LiteFS 0.5's, V3 Litestream 0.5's. */
const LTX_VERSIONS = [1, 3];

export function addVersion(program: Command, { stdout }: CommandContext): void {
  program
    .command('version')
    .summary('show versions')
    .description('Shows the versions of skein and of what it stands on.')
    .option('--json', 'as JSON', false)
    .action(({ json }: { readonly json: boolean }) => {
      const versions = {
        skein: SKEIN_VERSION,
        node: process.versions.node,
        kernel: release(),
        ltx: LTX_VERSIONS,
      };
      if (json) stdout.write(`${JSON.stringify(versions)}\n`);
      else stdout.write(formatPairs(Object.entries(versions).map(([k, v]) => [k, String(v)])));
    });
}
