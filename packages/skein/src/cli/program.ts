// The command line: which commands there are, and how their ends become exit codes.

import { Command } from 'commander';

import { SKEIN_VERSION } from '../version.ts';
import type { CommandContext, Surroundings } from './command-context.ts';
import { addCheck } from './commands/check.ts';
import { addExport } from './commands/export.ts';
import { addImport } from './commands/import.ts';
import { addLake } from './commands/lake.ts';
import { addLtx } from './commands/ltx.ts';
import { addMount } from './commands/mount.ts';
import { addStatus } from './commands/status.ts';
import { addVersion } from './commands/version.ts';
import { EXIT_CODE, reportError } from './report-error.ts';

const HELP = `
Exit codes: 0 it worked, 1 it failed, 2 the command line or the configuration is wrong.
SKEIN_DEBUG=1 shows where an error comes from, SKEIN_TRACE=fuse what the kernel asks.`;

/** In the order in which the help shows them. */
const COMMANDS = [addMount, addImport, addExport, addStatus, addCheck, addLtx, addLake, addVersion];

/** Runs a command and returns the exit code; messages have been printed by then. */
export async function run(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  // Behind `--` stands a command, whose options are not ours.
  const end = argv.indexOf('--');
  const hasTrailing = argv[0] === 'mount' && end !== -1;
  const context: CommandContext = {
    ...surroundings,
    trailing: hasTrailing ? argv.slice(end + 1) : [],
    exitCode: EXIT_CODE.ok,
  };
  try {
    const own = hasTrailing ? argv.slice(0, end) : argv;
    await createProgram(context).parseAsync(own, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    const isDebugging = (surroundings.environment['SKEIN_DEBUG'] ?? '') !== '';
    const { exitCode, text } = reportError(error, isDebugging);
    surroundings.stderr.write(text);
    return exitCode;
  }
}

function createProgram(context: CommandContext): Command {
  const program = new Command('skein')
    .description('SQLite that you mount.')
    .version(SKEIN_VERSION, '-V, --version')
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'skein: ')),
    })
    .configureHelp({ showGlobalOptions: false })
    .addHelpText('after', HELP);
  for (const add of COMMANDS) add(program, context);
  return program;
}
