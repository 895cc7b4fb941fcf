// The life of a node that serves a mount, on the main thread:
//
//   data folder opened and recovered -> mounted -> cluster, API, proxy (node-parts.ts) -> commands
//   -> ... -> commands ended -> proxy, cluster, API closed -> unmounted -> data folder closed
//
// It ends by a signal, with its last command, or when somebody unmounts it. Each step of the end
// has a limit: together they take no more than ten seconds, but for a last checkpoint that a slow
// disk holds up; five more for requests in the proxy, and cluster.drain for replicas.

import { closeSync } from 'node:fs';

import type { Role } from '@skein/engine';
import { type FuseMount, mountFuse, unmountFuse } from '@skein/fuse';
import { createNodeLog, type Log } from '@skein/host';

import type { MountConfig } from '../config/mount-config.ts';
import { ChildCommands, whereaboutsOf } from './child-commands.ts';
import { prepareFolders } from './folders.ts';
import { MountThreadClient } from './mount-thread/mount-thread-client.ts';
import { NodeParts } from './node-parts.ts';
import { type TrappedSignals, trapSignals } from './signals.ts';

const CHILD_GRACE_MS = 4_000;
const UNMOUNT_GRACE_MS = 2_000;

export interface RunMountOptions {
  /** What the configuration gives cause to say. */
  readonly warnings?: readonly string[];
  /** Clients can use the mount. */
  readonly ready?: () => void;
}

/**
 * Serves until it is over. Returns the exit code: that of the last command, or 0. Throws when it
 * cannot begin: EngineError, FuseMountError, FolderError, ApiError, ConfigError, ProxyThreadError,
 * SqlProcessError.
 */
export async function runMount(
  config: MountConfig,
  options: RunMountOptions = {},
): Promise<number> {
  const log = createNodeLog(config.log);
  const children = new ChildCommands(log, whereaboutsOf(config));
  // From here on, so that no signal leaves a mount behind.
  const signals = trapSignals((signal) => children.forward(signal));
  const folderOwner = prepareFolders(config);
  const thread = new MountThreadClient(config, firstRole(config));
  const opened = await thread.opened;
  const { replayedCount } = opened;
  if (replayedCount > 0) log.info('Recovered from the log', { transactions: replayedCount });

  const mount = await mountOrClose(config, thread);
  const warnings = [...(options.warnings ?? [])];
  let exitCode = 0;
  try {
    const passthrough = await thread.serve(mount, folderOwner);
    if (passthrough.reason !== undefined) {
      warnings.push(`The kernel does not pass journals through: ${passthrough.reason}`);
    }
    for (const warning of warnings) log.warn(warning);
    const parts = new NodeParts({ config, thread, opened, warnings, log });
    try {
      const addresses = await parts.start();
      const { dataFolder: data } = config;
      log.info('Serving', { mountpoint: mount.mountpoint, data, ...addresses });
      options.ready?.();
      exitCode = await serveUntilEnd({ config, thread, parts, children, signals, log });
    } finally {
      await parts.stop();
    }
  } finally {
    await unmount(mount, thread, log);
    signals.release();
  }
  log.info('Ended');
  return exitCode;
}

/** A node that is to lead accepts no writes before it is clear that it may. */
function firstRole({ cluster }: MountConfig): Role {
  if (cluster === undefined) return 'primary';
  return cluster.primary.name === cluster.name ? 'suspended' : 'replica';
}

async function mountOrClose(config: MountConfig, thread: MountThreadClient): Promise<FuseMount> {
  try {
    const { mountpoint, allowOther } = config;
    return mountFuse({
      mountpoint,
      source: 'skein',
      subtype: 'skein',
      allowOther,
      mustBeEmpty: true,
    });
  } catch (error) {
    thread.stop();
    await thread.ended;
    throw error;
  }
}

interface Serving {
  readonly config: MountConfig;
  readonly thread: MountThreadClient;
  readonly parts: NodeParts;
  readonly children: ChildCommands;
  readonly signals: TrappedSignals;
  readonly log: Log;
}

/** What comes first: a signal, the end of the last command, the end of the mount. */
async function serveUntilEnd(serving: Serving): Promise<number> {
  const { config, thread, parts, children, signals, log } = serving;
  const hasCommands = config.exec.length > 0;
  const gone = thread.ended.then(() => undefined);
  const over = new AbortController();
  void Promise.race([gone, signals.ended]).then(() => over.abort());
  const run = async (): Promise<number> => {
    // A replica without a primary waits long: no end is to wait for that.
    await parts.ready(over.signal);
    return over.signal.aborted ? 0 : children.run(config.exec);
  };
  const commands = hasCommands ? run() : new Promise<never>(() => undefined);
  const first = await Promise.race([commands, gone, signals.ended, parts.failed]).catch(
    async (error: unknown) => {
      await children.stop('SIGTERM', CHILD_GRACE_MS);
      throw error;
    },
  );
  parts.announceEnd();
  if (typeof first === 'number') return first;
  if (first === undefined) log.info('The mount was taken down by somebody else');
  await children.stop(first ?? 'SIGTERM', CHILD_GRACE_MS);
  return hasCommands ? commands : 0;
}

async function unmount(mount: FuseMount, thread: MountThreadClient, log: Log): Promise<void> {
  await thread.retire();
  const way = await unmountFuse(mount, { graceMs: UNMOUNT_GRACE_MS });
  if (way === 'aborted' || way === 'detached') {
    log.warn('Clients had files open when the mount was taken down', { mount: mount.mountpoint });
  }
  thread.stop();
  try {
    await thread.ended;
  } finally {
    closeSync(mount.fd);
  }
}
