// SKEIN_TRACE=fuse: every message of the protocol as a line on standard error.

import { writeSync } from 'node:fs';

import type { TraceLine } from './device-channel.ts';

const STDERR = 2;

/** What to give a DeviceLoop or a Notifier as `trace`; undefined when no trace is wanted. */
export function maybeFuseTrace(
  environment: Readonly<Record<string, string | undefined>>,
): TraceLine | undefined {
  const topics = (environment['SKEIN_TRACE'] ?? '').split(',');
  if (!topics.includes('fuse')) return undefined;
  // One write a line, so that lines of several threads do not mix.
  return (line) => {
    writeSync(STDERR, `${line}\n`);
  };
}
