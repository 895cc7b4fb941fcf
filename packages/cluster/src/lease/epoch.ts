// Numbers of terms of leadership, as Paxos numbers its ballots: a round that goes up, and below it
// a mark of the node. Two nodes that cannot see each other and are both told to lead count from the
// same round and still get different numbers, so that one of them yields when they meet.
//
//   bits 0-15    from the id of the node
//   bits 16-52   round
//
// Invariant: the next epoch is above every one that the node has seen.

import { assert } from '@skein/bytes';

const MARK_COUNT = 0x1_0000;
const ROUND_MAX = Math.floor(Number.MAX_SAFE_INTEGER / MARK_COUNT);

/** The first epoch of this node that is above `epoch`. */
export function nextEpoch(epoch: number, nodeId: bigint): number {
  assert(Number.isSafeInteger(epoch) && epoch >= 0, 'An epoch is a whole number');
  const round = Math.floor(epoch / MARK_COUNT) + 1;
  assert(round <= ROUND_MAX, 'There are no more terms of leadership');
  return round * MARK_COUNT + markOf(nodeId);
}

/** All four parts of the id count, since an id may have been made with little chance in it. */
function markOf(nodeId: bigint): number {
  const mask = BigInt(MARK_COUNT - 1);
  return Number((nodeId ^ (nodeId >> 16n) ^ (nodeId >> 32n) ^ (nodeId >> 48n)) & mask);
}
