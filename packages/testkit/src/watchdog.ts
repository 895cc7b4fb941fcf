// Ends mount tests that hang. A process that waits for a FUSE daemon which does not answer can be
// immune to kill -9, and would hold up the test run for ever; aborting the connection sets it free.
//
// The watch is kept by a thread of its own, since the test's may itself be blocked: in spawnSync,
// for a program that hangs.

import { extname } from 'node:path';
import {
  type MessagePort,
  MessageChannel,
  receiveMessageOnPort,
  Worker,
} from 'node:worker_threads';

import { onTestEnd, type TestScope } from './test-cleanup.ts';

export interface WatchdogWorkerData {
  readonly folder: string;
  readonly timeoutMs: number;
  /** Gets one message, the report, when the time was up. */
  readonly port: MessagePort;
}

/**
 * After `timeoutMs`, aborts every FUSE mount at or below `folder` and fails the test with a list of
 * who was waiting for what.
 */
export function watchMounts(t: TestScope, folder: string, timeoutMs: number): void {
  const { port1, port2 } = new MessageChannel();
  const workerData: WatchdogWorkerData = { folder, timeoutMs, port: port2 };
  const script = new URL(`watchdog-worker${extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(script, { workerData, transferList: [port2], name: 'watchdog' });
  // A process that has nothing else to do ends without waiting for the watchdog.
  worker.unref();
  onTestEnd(t, async () => {
    const received: { message: string } | undefined = receiveMessageOnPort(port1);
    port1.close();
    await worker.terminate();
    if (received !== undefined) throw new Error(received.message);
  });
}
