// Waits for what a cluster does in its own time, by asking again and again.

import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;

/** Rejects with the last error of `isSo`, or with `what`, when it does not come in time. */
export async function waitUntil(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  timeoutMs: number,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    let cause: unknown;
    try {
      if (await isSo()) return;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadlineMs) {
      throw new Error(`Not within ${timeoutMs} ms: ${what}`, cause === undefined ? {} : { cause });
    }
    await sleep(POLL_MS);
  }
}
