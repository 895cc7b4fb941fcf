// The thread of watchdog.ts.

import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';

import { abortConnection, countWaitingRequests, listMounts, type Mount } from './mounts.ts';
import type { WatchdogWorkerData } from './watchdog.ts';

const { folder, timeoutMs, port } = workerData as WatchdogWorkerData;

await sleep(timeoutMs);
const mounts = listMounts().filter(isWatched);
// Who waits must be asked first: the abort sends them on their way.
const lines = [...mounts.map(describeMount), ...listWaitingThreads()];
const state = mounts.length === 0 ? `No mount in ${folder}` : 'Aborted the mount';
// Before the abort, with which the test goes on and looks for it.
port.postMessage(`${state} after ${timeoutMs} ms\n${lines.join('\n')}`, []);
for (const mount of mounts) abortConnection(mount);

function isWatched(mount: Mount): boolean {
  return mount.type.startsWith('fuse') && `${mount.path}/`.startsWith(`${folder}/`);
}

function describeMount(mount: Mount): string {
  return `${mount.path} (${mount.type}): ${countWaitingRequests(mount) ?? '?'} requests wait`;
}

/** Threads of any process that wait inside FUSE: "1234 sqlite3 waits in request_wait_answer". */
function listWaitingThreads(): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) =>
    tryList(`/proc/${pid}/task`).flatMap((thread) => {
      const place = tryRead(`/proc/${pid}/task/${thread}/wchan`);
      if (!/fuse|request_wait_answer/.test(place)) return [];
      const command = tryRead(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
      return [`${pid} (thread ${thread}) waits in ${place}: ${command}`];
    }),
  );
}

// Processes come and go while their list is read.
function tryList(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function tryRead(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
