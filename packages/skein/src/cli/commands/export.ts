// skein export: a database of the node, as it is at one moment, becomes a file.

import { basename } from 'node:path';
import { statSync } from 'node:fs';

import { formatSize } from '@skein/host';
import type { Command } from 'commander';

import { findDataFolder } from '../../config/load-config.ts';
import type { CommandContext } from '../command-context.ts';
import { type NodeAccess, openNode } from '../node-access.ts';
import { configSources, type PlaceFlags, withPlace } from '../options.ts';
import { showProgress } from '../progress.ts';
import { writeWhole } from '../target-file.ts';
import { UsageError } from '../errors.ts';

interface ExportFlags extends PlaceFlags {
  readonly name?: string;
  readonly force: boolean;
  readonly quiet: boolean;
}

const HELP = `
The file is a SQLite database as it was after one transaction. Writers are not held up.

Examples:
  skein export app.db
  skein export --name app.db backup/monday.db --force
  skein export --name app.db - | zstd > app.db.zst`;

export function addExport(program: Command, context: CommandContext): void {
  const command = program
    .command('export')
    .summary('copy a database of the node to a file')
    .description('Copies a database of the node to a file.')
    .argument('<file>', 'the file to make, or - for standard output');
  withPlace(command)
    .option('-n, --name <name>', 'name of the database (default: that of the file)')
    .option('-f, --force', 'replace a file that exists', false)
    .option('-q, --quiet', 'no progress, no summary', false)
    .addHelpText('after', HELP)
    .action((file: string, flags: ExportFlags) => exportFile(context, file, flags));
}

async function exportFile(
  context: CommandContext,
  file: string,
  flags: ExportFlags,
): Promise<void> {
  const { name = nameOf(file), quiet } = flags;
  const node = await openNode(findDataFolder(configSources(context, flags)), false);
  const progress = showProgress(context, `Exporting ${name}`, quiet);
  const transfer: Transfer = (target) => node.exportDatabase(name, target, progress.update);
  try {
    if (file === '-') await exportToStdout(context, transfer);
    else await writeWhole(context, file, flags.force, transfer);
  } finally {
    progress.end();
    node.close();
  }
  if (quiet || file === '-') return;
  context.stdout.write(`Exported ${name}: ${formatSize(statSync(file).size)}\n`);
}

type Transfer = (target: Parameters<NodeAccess['exportDatabase']>[1]) => Promise<void>;

function exportToStdout({ stdout }: CommandContext, transfer: Transfer): Promise<void> {
  if (stdout.isTTY !== true) return transfer(stdout);
  throw new UsageError('A database is nothing for a terminal', 'Say > FILE, or name a file');
}

function nameOf(file: string): string {
  if (file !== '-') return basename(file);
  throw new UsageError('What is written to standard output needs a name', 'Say --name NAME');
}
