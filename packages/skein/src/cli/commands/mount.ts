// skein mount: serves a folder of databases until it is told to stop.

import type { Command } from 'commander';

import type { ConfigDraft } from '../../config/draft.ts';
import { READ_CLUSTER } from '../../config/cluster-section.ts';
import { toCommand } from '../../config/exec.ts';
import { loadMountConfig } from '../../config/load-mount-config.ts';
import type { ExecCommand } from '../../config/mount-config.ts';
import { READ } from '../../config/skein-file.ts';
import { type Address, parseAddress } from '../../config/values.ts';
import { runMount } from '../../daemon/run-mount.ts';
import type { CommandContext } from '../command-context.ts';
import { UsageError } from '../errors.ts';
import { configSources, type PlaceFlags, reader, withPlace } from '../options.ts';

interface MountFlags extends PlaceFlags {
  readonly allowOther?: boolean;
  readonly passthrough?: 'auto' | 'off';
  readonly stayAwake?: 'auto' | 'on' | 'off';
  readonly pinCpu?: number;
  readonly retention?: number;
  readonly retentionSize?: number;
  readonly segmentSize?: number;
  readonly overlaySize?: number;
  readonly checkpointSize?: number;
  readonly replicaWalSize?: number;
  readonly http?: Address;
  readonly httpSecretFile?: string;
  readonly httpInsecure?: boolean;
  readonly name?: string;
  readonly primary?: string;
  readonly primaryUrl?: string;
  readonly clusterAddress?: Address;
  readonly forcePrimary?: boolean;
  readonly logFormat?: 'text' | 'json';
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error';
}

const HELP = `
What stands behind -- is run as soon as the mount is there; signals are passed on to it, its end
ends the mount, its exit code is ours.

Examples:
  skein mount ./app                        databases in ./app, their data in ./.app
  skein mount ./app -- node server.js      the same, for as long as the server runs
  skein mount --data /var/lib/app /srv/app
  skein mount --name node2 --primary node1 ./app    a node of a cluster; see docs/cluster.md
  skein mount                              all that skein.yml says (a litefs.yml will do)`;

export function addMount(program: Command, context: CommandContext): void {
  const command = program
    .command('mount')
    .summary('serve a folder of SQLite databases')
    .description('Serves a folder of SQLite databases and keeps a log of their transactions.')
    .usage('[options] [folder] [-- command...]')
    .argument('[folder]', 'where the databases are seen; made if missing', reader(READ.path));
  withPlace(command)
    .option('--allow-other', 'let other users in (default as root)')
    .option('--no-allow-other', 'keep other users out')
    .option('--retention <duration>', 'how long the log is kept (10m)', reader(READ.retention))
    .option('--retention-size <size>', 'of how much at most (1GiB)', reader(READ.retentionSize))
    .option('--segment-size <size>', 'size of a log file (64MiB)', reader(READ.segmentSize))
    .option(
      '--overlay-size <size>',
      'memory for open transactions (32MiB)',
      reader(READ.memorySize),
    )
    .option(
      '--checkpoint-size <size>',
      'how much log a start may have to read (64MiB)',
      reader(READ.memorySize),
    )
    .option(
      '--replica-wal-size <size>',
      'how large readers may let the WAL of a replica grow (1GiB)',
      reader(READ.walSize),
    )
    .option(
      '--passthrough <mode>',
      'kernel writes journals itself: auto, off',
      reader(READ.passthrough),
    )
    .option('--stay-awake <mode>', 'keep idle CPUs awake: auto, on, off', reader(READ.stayAwake))
    .option('--pin-cpu <number>', 'serve the mount from this CPU', reader(READ.cpu))
    .option('--http <address>', 'serve the API over TCP as well', reader(parseAddress))
    .option('--http-secret-file <file>', 'what callers over TCP have to show', reader(READ.path))
    .option('--http-insecure', 'serve other machines without a secret')
    .option('--name <name>', 'of this node in its cluster', reader(READ_CLUSTER.nodeName))
    .option('--primary <name>', 'the node that takes writes', reader(READ_CLUSTER.nodeName))
    .option('--primary-url <url>', 'where that node is', reader(READ_CLUSTER.url))
    .option('--cluster-address <address>', 'where other nodes come', reader(parseAddress))
    .option('--force-primary', 'take writes though a peer has transactions that are not here')
    .option('--log-format <format>', 'text, json', reader(READ.logFormat))
    .option('--log-level <level>', 'debug, info, warn, error', reader(READ.logLevel))
    .addHelpText('after', HELP)
    .action(async (folder: string | undefined, flags: MountFlags) => {
      const sources = configSources(context, flags, draftOf(folder, flags, context.trailing));
      const { config, warnings } = loadMountConfig(sources, context);
      context.exitCode = await runMount(config, { warnings });
    });
}

function draftOf(
  folder: string | undefined,
  flags: MountFlags,
  trailing: readonly string[],
): ConfigDraft {
  return {
    mountpoint: folder,
    allowOther: flags.allowOther,
    passthrough: flags.passthrough,
    stayAwake: flags.stayAwake,
    pinCpu: flags.pinCpu,
    retentionMs: flags.retention,
    retentionBytesMax: flags.retentionSize,
    segmentBytes: flags.segmentSize,
    overlayBytes: flags.overlaySize,
    checkpointBytes: flags.checkpointSize,
    replicaWalBytesMax: flags.replicaWalSize,
    httpAddress: flags.http,
    httpSecretFile: flags.httpSecretFile,
    httpIsInsecure: flags.httpInsecure,
    cluster: {
      name: flags.name,
      primary: flags.primary,
      primaryUrl: flags.primaryUrl,
      address: flags.clusterAddress,
      isForced: flags.forcePrimary,
    },
    exec: trailing.length === 0 ? undefined : [commandOf(trailing)],
    logFormat: flags.logFormat,
    logLevel: flags.logLevel,
  };
}

function commandOf(words: readonly string[]): ExecCommand {
  try {
    return toCommand(words);
  } catch (error) {
    throw new UsageError(`Behind --, ${(error as Error).message}`);
  }
}
