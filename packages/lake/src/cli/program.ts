// The command line of the lake: which commands there are, and how their ends become exit codes.
//
// Exit codes: 0 it worked, 1 it failed, 2 the command line or the configuration is wrong.

import { LakeConfigError } from '../config/errors.ts';
import { LakeUsageError } from './errors.ts';
import { EXTENSIONS_HELP, fetchExtensions } from './extensions.ts';
import { ingress, INGRESS_HELP } from './ingress.ts';
import { query, QUERY_HELP } from './query.ts';
import { serve, SERVE_HELP } from './serve.ts';
import type { Surroundings } from './surroundings.ts';

interface LakeCommand {
  readonly summary: string;
  readonly help: string;
  run(args: readonly string[], surroundings: Surroundings): Promise<void>;
}

const COMMANDS: Readonly<Record<string, LakeCommand>> = {
  serve: { summary: 'answer SQL over HTTP', help: SERVE_HELP, run: serve },
  query: { summary: 'answer one query on the terminal', help: QUERY_HELP, run: query },
  extensions: {
    summary: "fetch DuckDB's extensions into a folder",
    help: EXTENSIONS_HELP,
    run: fetchExtensions,
  },
  ingress: { summary: 'one address before writer and readers', help: INGRESS_HELP, run: ingress },
};

const HELP_FLAGS: ReadonlySet<string> = new Set(['--help', '-h', 'help']);

/** Returns the exit code; messages have been printed by then. */
export async function run(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const [name, ...args] = argv;
  const { stdout, stderr, environment } = surroundings;
  try {
    if (name === undefined || HELP_FLAGS.has(name)) {
      stdout.write(help());
      return name === undefined ? 2 : 0;
    }
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (command === undefined) {
      throw new LakeUsageError(`there is no command ${JSON.stringify(name)}\n${help()}`);
    }
    if (args.some((arg) => arg === '--help' || arg === '-h')) {
      stdout.write(command.help);
      return 0;
    }
    await command.run(args, surroundings);
    return 0;
  } catch (error) {
    const isDebugging = (environment['SKEIN_DEBUG'] ?? '') !== '';
    stderr.write(`skein lake: ${describe(error, isDebugging)}\n`);
    return isUsage(error) ? 2 : 1;
  }
}

function help(): string {
  const lines = Object.entries(COMMANDS).map(
    ([name, { summary }]) => `  ${name.padEnd(12)}${summary}`,
  );
  return `Usage: skein lake <command> [options]

SQL over HTTP on Parquet, the catalog in replicated SQLite.

${lines.join('\n')}

\`skein lake <command> --help\` shows its options.
Exit codes: 0 it worked, 1 it failed, 2 the command line or the configuration is wrong.
`;
}

function isUsage(error: unknown): boolean {
  if (error instanceof LakeUsageError || error instanceof LakeConfigError) return true;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('ERR_PARSE_ARGS');
}

function describe(error: unknown, isDebugging: boolean): string {
  if (!(error instanceof Error)) return String(error);
  if (isDebugging) return error.stack ?? error.message;
  const hint = 'hint' in error && typeof error.hint === 'string' ? `\n  ${error.hint}` : '';
  return `${error.message}${hint}`;
}
