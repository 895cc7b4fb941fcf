import assert from 'node:assert/strict';
import { beforeEach, suite, test } from 'node:test';

import type { Link, PeerHello, PositionMap } from '@skein/cluster';
import { POSITION_ZERO, toTxid } from '@skein/ltx';
import { SimClock } from '@skein/testkit';

import { type FarewellOptions, NOTICE_MS, takeFarewell } from './farewell.ts';

const LIMIT_MS = 5000;
const ANSWER_MS = 10;

function at(txid: bigint): PositionMap {
  return new Map([['a.db', { ...POSITION_ZERO, txid: toTxid(txid) }]]);
}

/** What a primary says of itself, as far as it matters here. */
function says(fields: Partial<PeerHello>): PeerHello {
  return { isEnding: false, positions: at(0n), ...fields } as PeerHello;
}

suite('A replica that ends', () => {
  let clock: SimClock;
  let link: Link;
  let own: PositionMap;
  let primary: PeerHello | undefined;
  /** What happens, by the time since the beginning. */
  let events: Map<number, () => void>;

  const pass = (ms: number): Promise<void> => {
    const beforeMs = clock.monotonicMs();
    clock.advance(ms);
    for (const [atMs, run] of events) {
      if (atMs <= beforeMs || atMs > clock.monotonicMs()) continue;
      run();
    }
    return Promise.resolve();
  };

  const take = async (
    options: Partial<FarewellOptions> = {},
  ): Promise<{ hasAll: boolean; tookMs: number }> => {
    const startMs = clock.monotonicMs();
    const hasAll = await takeFarewell({
      link: () => link,
      ask: async () => {
        await pass(ANSWER_MS);
        return primary;
      },
      positions: () => own,
      databases: undefined,
      clock,
      sleep: pass,
      limitMs: LIMIT_MS,
      ...options,
    });
    return { hasAll, tookMs: clock.monotonicMs() - startMs };
  };

  beforeEach(() => {
    clock = new SimClock();
    link = 'caught-up';
    own = at(5n);
    primary = says({ positions: at(5n) });
    events = new Map();
  });

  test('waits for nobody when it follows nobody', async () => {
    link = 'none';
    primary = undefined;
    assert.deepEqual(await take(), { hasAll: true, tookMs: 0 });
  });

  test('waits alone for a moment only', async () => {
    const { hasAll, tookMs } = await take();
    assert(hasAll && tookMs >= NOTICE_MS && tookMs < NOTICE_MS + 200, `${tookMs} ms`);
  });

  test('stays until its primary, which ends too, has let it go', async () => {
    events.set(200, () => {
      primary = says({ isEnding: true, positions: at(5n) });
    });
    events.set(2000, () => {
      primary = says({ isEnding: true, positions: at(9n) });
    });
    events.set(3000, () => {
      own = at(9n);
      link = 'none';
    });
    const { hasAll, tookMs } = await take();
    assert(hasAll && tookMs >= 3000 && tookMs < 3200, `${tookMs} ms`);
  });

  test('waits for what a primary that goes on had, not for what it commits later', async () => {
    let txid = 6n;
    const ask = async (): Promise<PeerHello> => {
      await pass(ANSWER_MS);
      txid += 1n;
      // It is always a little behind.
      own = at(txid - 3n);
      return says({ positions: at(txid) });
    };
    const { hasAll, tookMs } = await take({ ask });
    assert(hasAll && tookMs < NOTICE_MS + 400, `${tookMs} ms`);
  });

  test('ends after a while, and says that it lacks something', async () => {
    primary = says({ isEnding: true, positions: at(6n) });
    const { hasAll, tookMs } = await take();
    assert(!hasAll && tookMs >= LIMIT_MS && tookMs < LIMIT_MS + 200, `${tookMs} ms`);
    primary = undefined;
    assert.equal((await take()).hasAll, false);
  });

  test('lacks no database that it does not follow', async () => {
    primary = says({ positions: new Map([...at(5n), ...renamed(at(70n), 'other.db')]) });
    assert.equal((await take({ databases: new Set(['a.db']) })).hasAll, true);
    assert.equal((await take()).hasAll, false);
  });
});

function renamed(positions: PositionMap, name: string): PositionMap {
  return new Map([...positions.values()].map((position) => [name, position]));
}
