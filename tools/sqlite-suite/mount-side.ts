// Test files on a mount. One daemon serves one file after the other, as it would an application;
// what a file leaves behind is removed through the mount. A daemon that died or that cannot clean
// up is replaced, with an empty data folder.

import { execFile } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { type Daemon, startDaemon } from '@skein/testkit';

import { testUser } from './test-user.ts';
import type { Side, SideOptions } from './side.ts';

const CLEAN_TIMEOUT_MS = 30_000;
/** Everything, also names that begin with a dot; positions go with their databases. */
const CLEAN = 'cd "$1" && { rm -rf -- ./* ./.[!.]*; test -z "$(ls -A)"; }';

export function openMountSide({ home, logPath }: SideOptions): Side {
  mkdirSync(home, { recursive: true });
  let daemon: Daemon | undefined;
  const stop = async (): Promise<void> => {
    await daemon?.stop();
    daemon = undefined;
    rmSync(join(home, 'data'), { recursive: true, force: true });
  };
  const start = async (): Promise<Daemon> => {
    await stop();
    daemon = await startDaemon({
      mountpoint: join(home, 'mount'),
      dataFolder: join(home, 'data'),
      logPath,
    });
    await inOtherProcess('chown', [owner(), daemon.mountpoint]);
    return daemon;
  };
  return {
    async freshFolder() {
      if (daemon?.isServing() === true && (await tryClean(daemon.mountpoint))) {
        return daemon.mountpoint;
      }
      return (await start()).mountpoint;
    },
    abandon: stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function tryClean(folder: string): Promise<boolean> {
  try {
    await inOtherProcess('sh', ['-c', CLEAN, 'sh', folder]);
    return true;
  } catch {
    return false;
  }
}

function owner(): string {
  const user = testUser();
  return user === undefined ? String(process.getuid!()) : `${user.uid}:${user.gid}`;
}

/** A mount that does not answer holds up whoever touches it: never us. */
async function inOtherProcess(program: string, args: readonly string[]): Promise<void> {
  await promisify(execFile)(program, args, { timeout: CLEAN_TIMEOUT_MS, killSignal: 'SIGKILL' });
}
