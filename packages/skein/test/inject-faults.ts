// Makes a node fail at a chosen moment. The daemon loads this module first, in each of its threads
// (`node --import`); in the thread that serves the mount it stands before the handler of requests
// and before the disk, counts, and strikes once. See faults.ts for who gives the orders.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

import type { Disk, DiskFile } from '@skein/host';

import type { FaultOrder } from './faults.ts';

const path = new URL(import.meta.url).searchParams.get('orders')!;

/** Requests that somebody waits for; RELEASE and FORGET come when they come. */
const METHODS: readonly string[] =
  'lookup getattr setattr create open read write flush fsync unlink rename rename2'.split(' ');

/** What changes something on the disk. Reading is what everything does all the time. */
const DISK_METHODS = ['open', 'rename', 'remove', 'syncDirectory'] as const;
const FILE_METHODS = ['write', 'truncate', 'sync'] as const;

let order: FaultOrder | undefined;
let count = 0;

/** Whether this is the moment: a request of a process, or an operation of the disk. */
function isHit(kind: FaultOrder['on'], subject: number | string, what: string): boolean {
  if (existsSync(path)) {
    order = JSON.parse(readFileSync(path, 'utf8')) as FaultOrder;
    count = 0;
    rmSync(path);
  }
  if (order?.on !== kind) return false;
  const wanted = order.on === 'request' ? order.pid : (order.op ?? subject);
  if (subject !== wanted) return false;
  if (count++ < order.skip) return false;
  writeFileSync(`${path}.struck`, what);
  return true;
}

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/** Puts `stand` before methods of an object. */
function standBefore(
  target: object,
  methods: readonly string[],
  stand: (method: string, args: unknown[]) => void,
): void {
  const functions = target as Record<string, AnyFunction>;
  for (const method of methods) {
    const original = functions[method];
    if (original === undefined) throw new Error(`There is no ${method}() any more`);
    functions[method] = function (...args) {
      stand(method, args);
      return original.apply(this, args);
    };
  }
}

async function watchRequests(): Promise<void> {
  const { MountHandler } = await import('../src/mount/mount-handler.ts');
  standBefore(MountHandler.prototype, METHODS, (method, [request]) => {
    const { pid } = request as { readonly pid: number };
    if (!isHit('request', pid, method)) return;
    // It is dead as soon as the kernel has the answer, which is given all the same.
    process.kill(order!.action === 'kill-client' ? pid : process.pid, 'SIGKILL');
    order = undefined;
  });
}

async function watchDisk(): Promise<void> {
  const { DiskError, nodeDisk } = await import('@skein/host');
  const stand = (method: string, [op, filePath]: unknown[]): void => {
    if (!isHit('disk', String(op), `${method} ${String(op)}`)) return;
    const { action } = order!;
    order = undefined;
    if (action === 'kill-daemon') process.kill(process.pid, 'SIGKILL');
    throw new DiskError(String(op), String(filePath), action);
  };
  standBefore(nodeDisk, DISK_METHODS, stand);
  const open = nodeDisk.open.bind(nodeDisk);
  const watchedOpen: Disk['open'] = (op, filePath, mode): DiskFile => {
    const file = open(op, filePath, mode);
    standBefore(file, FILE_METHODS, (method, [fileOp]) => stand(method, [fileOp, filePath]));
    return file;
  };
  Object.assign(nodeDisk, { open: watchedOpen });
}

const isMountThread = (workerData as { readonly config?: object } | null)?.config !== undefined;
if (isMountThread) {
  await watchRequests();
  await watchDisk();
}
