// How far a transfer has come: a bar on a terminal, a line now and then elsewhere.

import { type Clock, formatSize, systemClock } from '@skein/host';

import type { OnProgress } from '../api/node-control.ts';
import type { CommandContext } from './command-context.ts';

export interface Progress {
  readonly update: OnProgress;
  /** Takes the bar away; what comes next begins on a line of its own. */
  end(): void;
}

const BAR_WIDTH = 30;
const BAR_INTERVAL_MS = 100;
const LINE_INTERVAL_MS = 5000;
/** Clears what the line had before. */
const LINE_START = '\r\u001B[2K';

/** `what` stands before the figures: "Importing app.db". */
export function showProgress(
  { stderr }: Pick<CommandContext, 'stderr'>,
  what: string,
  isQuiet: boolean,
  clock: Clock = systemClock,
): Progress {
  if (isQuiet) return { update: () => {}, end: () => {} };
  const isTerminal = stderr.isTTY === true;
  const intervalMs = isTerminal ? BAR_INTERVAL_MS : LINE_INTERVAL_MS;
  // A transfer that is over at once needs no progress.
  let nextMs = clock.monotonicMs() + intervalMs;
  let hasBar = false;
  return {
    update: (doneBytes, totalBytes) => {
      const nowMs = clock.monotonicMs();
      if (nowMs < nextMs) return;
      nextMs = nowMs + intervalMs;
      hasBar = isTerminal;
      const figures = `${what}: ${formatProgress(doneBytes, totalBytes)}`;
      if (isTerminal) stderr.write(`${LINE_START}${drawBar(doneBytes / totalBytes)}${figures}`);
      else stderr.write(`${figures}\n`);
    },
    end: () => {
      if (hasBar) stderr.write(LINE_START);
    },
  };
}

/** "1.20 GiB of 3.40 GiB, 35 %"; of a stream nobody knows how long it is. */
export function formatProgress(doneBytes: number, totalBytes: number): string {
  if (!(totalBytes > 0)) return formatSize(doneBytes);
  const percent = Math.floor((doneBytes / totalBytes) * 100);
  return `${formatSize(doneBytes)} of ${formatSize(totalBytes)}, ${percent} %`;
}

function drawBar(fraction: number): string {
  if (Number.isNaN(fraction)) return '';
  const filled = Math.floor(Math.min(1, fraction) * BAR_WIDTH);
  return `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] `;
}
