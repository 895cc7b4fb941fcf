// skein status --watch: what the cluster is, drawn again and again. On a terminal in place;
// anywhere else a line for each thing that changes, with the time.

import { setTimeout as sleep } from 'node:timers/promises';

import { systemClock } from '@skein/host';

import type { NodeStatus } from '../api/node-control.ts';
import type { Surroundings } from './command-context.ts';

const PERIOD_MS = 1_000;

/** Erase what is below and behind (ECMA-48: CUP, ED). */
const HOME_AND_CLEAR = '\u001B[H\u001B[J';

export interface WatchOptions {
  readonly status: () => Promise<NodeStatus>;
  readonly draw: (status: NodeStatus) => string;
  readonly stdout: Surroundings['stdout'];
  /** Undefined: until the process is ended. */
  readonly signal?: AbortSignal;
}

export async function watchStatus({ status, draw, stdout, signal }: WatchOptions): Promise<void> {
  let before = new Map<string, string>();
  for (;;) {
    const now = await status();
    if (stdout.isTTY === true) {
      stdout.write(`${HOME_AND_CLEAR}${draw(now)}`);
    } else {
      const after = linesOf(now);
      for (const line of changedLines(before, after)) {
        stdout.write(`${new Date(systemClock.wallMs()).toISOString()} ${line}\n`);
      }
      before = after;
    }
    if (signal?.aborted === true) return;
    await sleep(PERIOD_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** What is told of each subject: a node, or a database of this node. */
function linesOf({ cluster, databases }: NodeStatus): Map<string, string> {
  const lines = new Map<string, string>();
  for (const { name, txid } of databases) lines.set(`database ${name}`, `is at ${txid}`);
  if (cluster === undefined) return lines;
  const { name, role, epoch, problems, peers } = cluster;
  lines.set(`node ${name}`, `is ${role} in epoch ${epoch}`);
  for (const { code, message } of problems) lines.set(`problem ${code}`, message);
  for (const peer of peers) {
    const stream = peer.isConnected ? (peer.isCaughtUp ? ', follows' : ', catches up') : '';
    lines.set(`peer ${peer.name}`, `is ${peer.role ?? 'a LiteFS'}${stream}`);
  }
  return lines;
}

function changedLines(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly string[] {
  const changed = [...after].filter(([subject, text]) => before.get(subject) !== text);
  const gone = [...before.keys()].filter((subject) => !after.has(subject));
  return [
    ...changed.map(([subject, text]) => `${subject} ${text}`),
    ...gone.map((subject) => `${subject} is gone`),
  ];
}
