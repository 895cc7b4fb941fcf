// For what happens soon, but not before a call returns: the kernel tells of a closed file later,
// and forgets a name later.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 5;

/** Waits until `isSo` says so. Fails the test when that does not come. */
export async function eventually(
  what: string,
  isSo: () => boolean,
  timeoutMs = 60_000,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!isSo()) {
    assert.ok(performance.now() < deadlineMs, `Not within ${timeoutMs} ms: ${what}`);
    await sleep(POLL_MS);
  }
}
