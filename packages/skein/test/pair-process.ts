// A primary and a replica in one process, for tests: two mounts, and what replication does between
// them without a network. The argument is the configuration of both as JSON.
//
// Prints "ready" when both can be used; then answers each line of its input, a command as JSON,
// with a line. Ends with its input.

import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import type { LogCursor, LogSink, SentFile } from '@skein/cluster';
import { PublishedLog } from '@skein/engine';
import { type FuseMount, mountFuse, unmountFuse } from '@skein/fuse';
import { createNodeLog, nodeDisk, systemClock } from '@skein/host';
import { formatPosition, type Position } from '@skein/ltx';

import type { MountConfig } from '../src/config/mount-config.ts';
import { prepareFolders } from '../src/daemon/folders.ts';
import { MountThreadClient } from '../src/daemon/mount-thread/mount-thread-client.ts';
import type { NodeRole } from '../src/mount/node-role.ts';
import { EngineLogSink } from '../src/replication/log-sink.ts';
import { EngineLogSource } from '../src/replication/log-source.ts';
import type { PairCommand } from './pair-command.ts';

interface Half {
  readonly thread: MountThreadClient;
  readonly mount: FuseMount;
}

const configs = JSON.parse(process.argv[2]!) as Record<NodeRole, MountConfig>;
const primary = await start(configs.primary, 'primary');
const replica = await start(configs.replica, 'replica');
const source = await openSource(primary.thread, configs.primary);
const sink = new EngineLogSink({
  thread: replica.thread,
  scratchFolder: join(configs.replica.dataFolder, 'scratch'),
});
let fileCount = 0;
let following = follow();
process.stdout.write('ready\n');

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  void obey(JSON.parse(line) as PairCommand).then((answer) =>
    process.stdout.write(`${JSON.stringify(answer ?? null)}\n`),
  );
});
await once(lines, 'close');
await following.end();
await source.close();
await stop(replica);
await stop(primary);

async function start(config: MountConfig, role: NodeRole): Promise<Half> {
  const owner = prepareFolders(config);
  const thread = new MountThreadClient(config, role);
  await thread.opened;
  const { mountpoint, allowOther } = config;
  const mount = mountFuse({ mountpoint, source: 'skein', subtype: 'skein', allowOther });
  await thread.serve(mount, owner);
  return { thread, mount };
}

async function openSource(
  thread: MountThreadClient,
  { dataFolder, log }: MountConfig,
): Promise<EngineLogSource> {
  const { publishedLog } = await thread.opened;
  const published = new PublishedLog(publishedLog);
  return EngineLogSource.open({
    log: { disk: nodeDisk, folder: join(dataFolder, 'log'), published },
    clock: systemClock,
    messages: createNodeLog(log),
    calls: {
      followedStates: () => thread.call('followed-states', []),
      beginSnapshot: (database, txid) => thread.call('begin-snapshot', [database, txid]),
      releaseSnapshot: (id) => void thread.call('release-snapshot', [id]),
    },
  });
}

async function stop({ thread, mount }: Half): Promise<void> {
  await thread.retire();
  await unmountFuse(mount, { graceMs: 1000 });
  thread.stop();
  await thread.ended;
  closeSync(mount.fd);
}

async function obey(command: PairCommand): Promise<unknown> {
  switch (command.kind) {
    case 'show':
      replica.thread.show(command.state);
      return;
    case 'pause':
      return following.end();
    case 'resume':
      following = follow();
      return;
    case 'status':
      return {
        fileCount,
        durable: [...sink.positions()].map(shown),
        applied: [...sink.appliedPositions()].map(shown),
        status: await replica.thread.call('status', []),
      };
  }
}

function shown([name, position]: readonly [string, Position]): string {
  return `${name} ${formatPosition(position)}`;
}

function follow(): { end(): Promise<void> } {
  const stopper = new AbortController();
  const cursor = source.follow(sink.positions());
  const ended = feed(cursor, sink, stopper.signal).catch((error: unknown) => {
    if (stopper.signal.aborted) return;
    process.stderr.write(`Following ended: ${String(error)}\n`);
    process.exitCode = 1;
  });
  return {
    end: async () => {
      stopper.abort();
      await ended;
      cursor.close();
    },
  };
}

async function feed(cursor: LogCursor, sink: LogSink, signal: AbortSignal): Promise<never> {
  for (;;) {
    const item = await cursor.next(signal);
    if (item.kind === 'transactions') await sink.receive(item.transactions);
    else if (item.kind === 'file') await feedFile(item.file, sink);
    for (const [database, position] of sink.positions()) cursor.acknowledged(database, position);
  }
}

async function feedFile(file: SentFile, sink: LogSink): Promise<void> {
  try {
    const received = await sink.receiveFile(file.database, file.epoch, file.id);
    for await (const bytes of file.read(received.offset)) await received.write(bytes);
    await received.finish();
    fileCount++;
  } finally {
    file.release();
  }
}
