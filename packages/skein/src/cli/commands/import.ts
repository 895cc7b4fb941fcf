// skein import: a file becomes a database of the node.

import { basename } from 'node:path';

import { formatSize } from '@skein/host';
import type { Command } from 'commander';

import type { DatabaseStatus } from '../../api/node-control.ts';
import { findDataFolder } from '../../config/load-config.ts';
import type { CommandContext } from '../command-context.ts';
import { openNode } from '../node-access.ts';
import { configSources, type PlaceFlags, withPlace } from '../options.ts';
import { showProgress } from '../progress.ts';
import { holdStill } from '../source-file.ts';
import { UsageError } from '../errors.ts';

interface ImportFlags extends PlaceFlags {
  readonly name?: string;
  readonly quiet: boolean;
}

const HELP = `
The file becomes the content of the database in one transaction, also while clients use it. It
works with and without a running node; without one a data folder is made if there is none.

Examples:
  skein import app.db
  skein import --data /var/lib/app --name app.db backup-monday.db
  zstdcat app.db.zst | skein import --name app.db -`;

export function addImport(program: Command, context: CommandContext): void {
  const command = program
    .command('import')
    .summary('make a SQLite file a database of the node')
    .description('Makes a SQLite file a database of the node, or its new content.')
    .argument('<file>', 'a SQLite database, or - for standard input');
  withPlace(command)
    .option('-n, --name <name>', 'name of the database (default: that of the file)')
    .option('-q, --quiet', 'no progress, no summary', false)
    .addHelpText('after', HELP)
    .action((file: string, flags: ImportFlags) => importFile(context, file, flags));
}

async function importFile(
  context: CommandContext,
  file: string,
  flags: ImportFlags,
): Promise<void> {
  const { name = nameOf(file), quiet } = flags;
  const dataFolder = findDataFolder(configSources(context, flags));
  const release = file === '-' ? undefined : holdStill(file);
  try {
    const node = await openNode(dataFolder, true);
    const progress = showProgress(context, `Importing ${name}`, quiet);
    let status: DatabaseStatus;
    try {
      status = await node.importDatabase(
        name,
        file === '-' ? context.stdin : file,
        progress.update,
      );
    } finally {
      progress.end();
      node.close();
    }
    if (quiet) return;
    const { sizeBytes, txid } = status;
    context.stdout.write(`Imported ${name}: ${formatSize(sizeBytes)}, transaction ${txid}\n`);
  } finally {
    release?.();
  }
}

function nameOf(file: string): string {
  if (file !== '-') return basename(file);
  throw new UsageError('What is read from standard input needs a name', 'Say --name NAME');
}
