// The programs that the node runs: all but the last to their end, one after the other, then the
// last, with which the node lives and dies.

import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';

import type { Log } from '@skein/host';

import type { ExecCommand, MountConfig } from '../config/mount-config.ts';

/** As shells tell it: a program that a signal killed ends with this and the signal's number. */
const SIGNAL_EXIT_CODE = 128;
/** As shells tell it: there is no such program, or it cannot be run. */
const NOT_FOUND_EXIT_CODE = 127;
const SECRET_VARIABLE = 'SKEIN_SECRET';

export class ChildCommands {
  readonly #log: Log;
  readonly #given: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;
  #isStopping = false;

  /** `given`: what their environments have beside that of the node. */
  constructor(log: Log, given: NodeJS.ProcessEnv = {}) {
    this.#log = log;
    this.#given = given;
  }

  /** Resolves with the exit code of the last, or of the first that fails. */
  async run(commands: readonly ExecCommand[]): Promise<number> {
    let exitCode = 0;
    for (const command of commands) {
      if (this.#isStopping || exitCode !== 0) break;
      exitCode = await this.#runOne(command);
    }
    return exitCode;
  }

  /** Passes a signal on to the program that runs. */
  forward(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Ends the program that runs, and starts no other: asks by `signal`, kills after `graceMs`. */
  async stop(signal: NodeJS.Signals, graceMs: number): Promise<void> {
    this.#isStopping = true;
    const child = this.#child;
    if (child === undefined || hasEnded(child)) return;
    const ended = new Promise((resolve) => {
      child.once('close', resolve);
    });
    child.kill(signal);
    const timer = setTimeout(() => {
      this.#log.warn('The command does not end and is killed', { pid: child.pid });
      child.kill('SIGKILL');
    }, graceMs);
    await ended;
    clearTimeout(timer);
  }

  #runOne([program, ...args]: ExecCommand): Promise<number> {
    return new Promise((resolve) => {
      const env = { ...childEnvironment(process.env), ...this.#given };
      const child = spawn(program, args, { stdio: 'inherit', env });
      this.#child = child;
      child.once('error', (error) => {
        this.#log.error('Cannot run the command', { program, error: error.message });
        resolve(NOT_FOUND_EXIT_CODE);
      });
      child.once('close', (code, signal) => {
        resolve(code ?? SIGNAL_EXIT_CODE + constants.signals[signal!]);
      });
    });
  }
}

/**
 * Where the node is, by the words in which an app may be told of it (setting-words.ts): it does not
 * have to be told again.
 */
export function whereaboutsOf(config: MountConfig): NodeJS.ProcessEnv {
  const { mountpoint, dataFolder, cluster, proxy } = config;
  return {
    SKEIN_MOUNT_PATH: mountpoint,
    SKEIN_DATA_PATH: dataFolder,
    ...(cluster === undefined
      ? {}
      : { SKEIN_NODE_NAME: cluster.name, SKEIN_PRIMARY_HOSTNAME: cluster.primary.name }),
    ...(proxy?.database === undefined ? {} : { SKEIN_DATABASE_NAME: proxy.database }),
  };
}

/** An app shows its environment when it fails, and has no use for the secret of the nodes. */
export function childEnvironment(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...own, [SECRET_VARIABLE]: undefined };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}
