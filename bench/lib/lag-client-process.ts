// A client whose view of time counts: one commits at a steady pace and keeps when each commit
// returned, another watches a replica and keeps when it saw each row. Both read the machine's
// monotonic clock, so that their times can be compared.

import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

import type { LagAnswer, LagRequest } from './lag-client.ts';

/** How often the watcher looks: the times it keeps are late by half of this. */
const LOOK_EVERY_MS = 0.3;

function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Row `i` is committed at the time with the index `i - 1`. */
async function write(request: Extract<LagRequest, { kind: 'write' }>): Promise<number[]> {
  const database = new DatabaseSync(request.path, { timeout: 5000 });
  database.exec('PRAGMA synchronous = FULL');
  const insert = database.prepare("INSERT INTO t (v) VALUES (printf('%0100d', ?))");
  const times: number[] = [];
  const startMs = nowMs();
  for (let i = 1; i <= request.count; i += 1) {
    insert.run(i);
    times.push(nowMs());
    const aheadMs = startMs + (i * 1000) / request.perSecond - nowMs();
    if (aheadMs > 1) await sleep(aheadMs);
  }
  database.close();
  return times;
}

function watch(request: Extract<LagRequest, { kind: 'watch' }>): number[] {
  const database = new DatabaseSync(request.path, { timeout: 5000 });
  const look = database.prepare('SELECT max(id) AS last FROM t');
  const never = new Int32Array(new SharedArrayBuffer(4));
  const times: number[] = [];
  while (times.length < request.count) {
    const last = Number(look.get()!['last'] ?? 0);
    const seenMs = nowMs();
    while (times.length < last) times.push(seenMs);
    Atomics.wait(never, 0, 0, LOOK_EVERY_MS);
  }
  database.close();
  return times;
}

process.on('message', (request: LagRequest) => {
  void (async () => {
    let answer: LagAnswer;
    try {
      answer = { times: request.kind === 'write' ? await write(request) : watch(request) };
    } catch (error) {
      answer = { error: `${request.kind} on ${request.path}: ${(error as Error).message}` };
    }
    process.send!(answer);
    process.disconnect();
  })();
});
