// The command line: which commands there are, and how their ends become exit codes.

import { Command } from 'commander';

import { SKEIN_VERSION } from '../version.ts';
import type { CommandContext, Surroundings } from './command-context.ts';
import { EXIT_CODE, reportError } from './report-error.ts';

const HELP = `
Exit codes: 0 it worked, 1 it failed, 2 the command line or the configuration is wrong.
SKEIN_DEBUG=1 shows where an error comes from, SKEIN_TRACE=fuse what the kernel asks.`;

type AddCommand = (program: Command, context: CommandContext) => void;

/**
 * In the order in which the help shows them. A command is loaded when it is asked for: what asks a
 * node how it is needs neither the engine nor the daemon, whose loading takes longer than the
 * asking.
 */
const COMMANDS: ReadonlyMap<string, () => Promise<AddCommand>> = new Map([
  ['mount', async () => (await import('./commands/mount.ts')).addMount],
  ['import', async () => (await import('./commands/import.ts')).addImport],
  ['export', async () => (await import('./commands/export.ts')).addExport],
  ['status', async () => (await import('./commands/status.ts')).addStatus],
  ['check', async () => (await import('./commands/check.ts')).addCheck],
  ['ltx', async () => (await import('./commands/ltx.ts')).addLtx],
  ['lake', async () => (await import('./commands/lake.ts')).addLake],
  ['version', async () => (await import('./commands/version.ts')).addVersion],
]);

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
    const program = await createProgram(context, own[0]);
    await program.parseAsync(own, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    const isDebugging = (surroundings.environment['SKEIN_DEBUG'] ?? '') !== '';
    const { exitCode, text } = reportError(error, isDebugging);
    surroundings.stderr.write(text);
    return exitCode;
  }
}

/**
 * With the command of this name; with all, where none has it: for the help, and what it suggests.
 */
async function createProgram(context: CommandContext, name = ''): Promise<Command> {
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
  const asked = COMMANDS.get(name);
  const commands = asked === undefined ? [...COMMANDS.values()] : [asked];
  for (const add of await Promise.all(commands.map((load) => load()))) add(program, context);
  return program;
}
