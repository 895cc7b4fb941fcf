// `skein mount` as a process of its own: what the benches, SQLite's suite, the tests of a cluster
// and the demo measure, test and show. Nothing here touches the mount: whether it is served is
// asked of the node's API.

import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { detachMount, findMount } from '../mounts.ts';
import { SOURCE_FLAGS } from '../source-flags.ts';
import { maybeStartedMs } from './ask-daemon.ts';

/** Of the workspace, seen from src/ and from dist/. */
const root = dirname(dirname(dirname(dirname(import.meta.dirname))));
const skein = join(root, 'packages', 'skein');
const FROM_SOURCES = [...SOURCE_FLAGS, join(skein, 'src', 'cli', 'main.ts')];
const AS_SHIPPED = [join(skein, 'dist', 'cli', 'main.js')];

const MOUNT_TYPE = 'fuse.skein';
const POLL_MS = 5;
const START_TIMEOUT_MS = 180_000;
/** A shutdown ends within 10 s, also with clients connected, where the machine is idle. */
const STOP_TIMEOUT_MS = 60_000;

export interface DaemonOptions {
  readonly mountpoint: string;
  readonly dataFolder: string;
  /** What the daemon prints goes there. */
  readonly logPath: string;
  /** Runs what `tsc -b` has made, as users do: it starts sooner and takes less memory. */
  readonly isBuilt?: boolean;
  /** The only CPU that the daemon may use. */
  readonly cpu?: number | undefined;
  /** A command that runs the daemon in its own place: `['nsenter', '--net=…']`. */
  readonly prefix?: readonly string[];
  /** Further arguments of `skein mount`. */
  readonly args?: readonly string[];
}

export interface Daemon extends AsyncDisposable {
  readonly pid: number;
  /** Without symbolic links, as the mount table knows it. */
  readonly mountpoint: string;
  readonly dataFolder: string;
  /** Resolves when the process is gone, for whatever reason. */
  readonly ended: Promise<void>;
  /** Whether the process lives and its mount is there. */
  isServing(): boolean;
  /** Unmounts and waits for the end; forces it when it does not come. */
  stop(): Promise<void>;
  /** kill -9, and the mount that answers nobody any more is taken down. */
  kill(): Promise<void>;
}

export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  for (const folder of [options.mountpoint, options.dataFolder]) {
    mkdirSync(folder, { recursive: true });
  }
  const mountpoint = realpathSync(options.mountpoint);
  // A mount that somebody else serves keeps ours out, and is not ours to take down.
  let isOurs = findMount(mountpoint) === undefined;
  const startedMs = Date.now();
  const logStart = existsSync(options.logPath) ? statSync(options.logPath).size : 0;
  const child = spawnDaemon(options);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    // After a daemon's death its mount is still there and answers nobody.
    const mount = findMount(mountpoint);
    if (isOurs && mount?.type === MOUNT_TYPE) detachMount(mount);
  };
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    // Nobody who has nothing else to do waits for the timer.
    await Promise.race([ended, sleep(STOP_TIMEOUT_MS, undefined, { ref: false })]);
    await kill();
  };
  // Another node that serves this data folder was started before.
  while (((await maybeStartedMs(options.dataFolder)) ?? 0) < startedMs) {
    const isLate = Date.now() - startedMs > START_TIMEOUT_MS;
    if (hasEnded() || isLate) {
      await stop();
      const log = readFileSync(options.logPath).subarray(logStart).toString('utf8').trimEnd();
      throw new Error(
        `The daemon ${isLate ? 'is not ready in time' : 'ended at its start'}:\n${log}`,
      );
    }
    await sleep(POLL_MS);
  }
  isOurs = true;
  return {
    pid: child.pid!,
    mountpoint,
    dataFolder: options.dataFolder,
    ended,
    isServing: () => !hasEnded() && findMount(mountpoint)?.type === MOUNT_TYPE,
    stop,
    kill,
    [Symbol.asyncDispose]: stop,
  };
}

function spawnDaemon(options: DaemonOptions): ChildProcess {
  const { mountpoint, dataFolder, logPath, cpu, isBuilt = false, args = [] } = options;
  const { prefix = [] } = options;
  const pinning = cpu === undefined ? [] : ['taskset', '--cpu-list', String(cpu)];
  const node = [process.execPath, ...(isBuilt ? AS_SHIPPED : FROM_SOURCES)];
  // The node lives as long as its command, which reads from us: it ends however we end.
  const mount = ['mount', '--data', dataFolder, ...args, mountpoint, '--', 'cat'];
  const [program, ...rest] = [...prefix, ...pinning, ...node, ...mount];
  const log = openSync(logPath, 'a');
  try {
    // Its own process group: Ctrl-C in a terminal is ours, and we stop it in order.
    return spawn(program!, rest, { cwd: root, detached: true, stdio: ['pipe', log, log] });
  } finally {
    closeSync(log);
  }
}

/** Memory that the process has in RAM, in bytes (VmRSS of proc_pid_status(5)). */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
}
