// skein lake: SQL over HTTP on Parquet. A program of its own, in a package of its own: DuckDB takes
// 70 MB, which a node that only replicates does without.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

import type { Command } from 'commander';

import type { CommandContext } from '../command-context.ts';
import { FileError } from '../errors.ts';

/** The program's file; as source or built, as this one is. */
const PROGRAM = '@skein/lake/main';

/** Each query of DuckDB that runs takes one, beside the files that are read and written. */
const THREAD_POOL_SIZE = '32';

/** As shells tell it: a program that a signal ended has this and the signal's number. */
const SIGNAL_EXIT_CODE = 128;

export function addLake(program: Command, context: CommandContext): void {
  program
    .command('lake')
    .summary('SQL over HTTP on Parquet, its catalog in a replicated database')
    .description('SQL over HTTP on Parquet, its catalog in a replicated database.')
    .allowUnknownOption()
    .allowExcessArguments()
    // The options, and the help, are those of the program.
    .helpOption(false)
    .action(async (_: unknown, { args }: Command) => {
      context.exitCode = await runLake(findProgram(), args, context);
    });
}

function findProgram(): string {
  try {
    return fileURLToPath(import.meta.resolve(PROGRAM));
  } catch {
    throw new FileError(
      'Cannot find the lake: it is a package of its own',
      'Install it beside skein: npm install @skein/lake',
    );
  }
}

/** Returns the exit code. */
async function runLake(
  path: string,
  args: readonly string[],
  { cwd, environment }: CommandContext,
): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, path, ...args], {
    cwd,
    stdio: 'inherit',
    // The values of timestamps do not depend on where the machine stands.
    env: { UV_THREADPOOL_SIZE: THREAD_POOL_SIZE, ...environment, TZ: 'UTC' },
  });
  // Ctrl-C reaches both, other signals only this process: it passes them on, and waits.
  const pass = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  const signals = ['SIGTERM', 'SIGHUP'] as const;
  const ignore = (): void => {};
  for (const signal of signals) process.on(signal, pass);
  process.on('SIGINT', ignore);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return code ?? SIGNAL_EXIT_CODE + constants.signals[signal!];
  } finally {
    for (const each of signals) process.off(each, pass);
    process.off('SIGINT', ignore);
  }
}
