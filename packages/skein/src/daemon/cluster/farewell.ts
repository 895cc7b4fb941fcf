// The end of a replica: it stays until it has what its primary has for it, so that nodes that are
// all stopped at once, in whatever order, lose nothing.
//
// A primary that ends says so, gives its replicas what they lack, and ends their streams. One that
// goes on keeps what it has: a replica that ends alone waits only for as long as it takes to tell
// the two apart.

import { findAhead, type Link, type PeerHello, type PositionMap } from '@skein/cluster';
import type { Clock } from '@skein/host';

export interface FarewellOptions {
  /** How the node is connected to the primary. */
  readonly link: () => Link;
  /** What the primary says of itself now; undefined: nothing. */
  readonly ask: () => Promise<PeerHello | undefined>;
  /** Where the databases of this node stand, durably. */
  readonly positions: () => PositionMap;
  /** The node follows only these; undefined: all. */
  readonly databases: ReadonlySet<string> | undefined;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly limitMs: number;
}

/** Nodes that are told to end together are told within this time. */
export const NOTICE_MS = 500;
const PAUSE_MS = 50;

/** Whether the node has everything, or its primary has let it go; false when it took too long. */
export async function takeFarewell(options: FarewellOptions): Promise<boolean> {
  const { link, ask, positions, clock, sleep, limitMs } = options;
  const startMs = clock.monotonicMs();
  let target: PositionMap | undefined;
  while (link() !== 'none') {
    const primary = await ask();
    const waitedMs = clock.monotonicMs() - startMs;
    const isEnding = primary?.isEnding === true;
    // Of a primary that goes on, what it has by then: it may never stop committing.
    if (isEnding) target = primary.positions;
    else if (waitedMs >= NOTICE_MS) target ??= primary?.positions;
    const hasAll =
      target !== undefined && findAhead(positions(), wanted(target, options)) === undefined;
    if (hasAll && !isEnding) return true;
    if (waitedMs >= limitMs) return hasAll;
    await sleep(PAUSE_MS);
  }
  return true;
}

function wanted(target: PositionMap, { databases }: FarewellOptions): PositionMap {
  return new Map([...target].filter(([name]) => databases?.has(name) ?? true));
}
