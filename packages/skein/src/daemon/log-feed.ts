// The log of this node, followed on the main thread.

import { join } from 'node:path';

import { PublishedLog } from '@skein/engine';
import { type Log, nodeDisk, systemClock } from '@skein/host';

import { EngineLogSource } from '../replication/log-source.ts';
import type { MountThreadClient } from './mount-thread/mount-thread-client.ts';

/** To be called when the mount is served: the thread answers only then. */
export async function openLogSource(
  thread: MountThreadClient,
  dataFolder: string,
  messages: Log,
): Promise<EngineLogSource> {
  const { publishedLog } = await thread.opened;
  return EngineLogSource.open({
    log: {
      disk: nodeDisk,
      folder: join(dataFolder, 'log'),
      published: new PublishedLog(publishedLog),
    },
    clock: systemClock,
    messages,
    calls: {
      followedStates: () => thread.call('followed-states', []),
      beginSnapshot: (database, txid) => thread.call('begin-snapshot', [database, txid]),
      releaseSnapshot: (id) => {
        thread.call('release-snapshot', [id]).catch((error: unknown) => {
          messages.debug('A snapshot was not released', { error: String(error) });
        });
      },
    },
  });
}
