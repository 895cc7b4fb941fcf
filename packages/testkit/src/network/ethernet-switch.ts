// A switch for Ethernet frames between hosts, whose links can be cut, slow or lossy. It decides
// only: the frames come from and go to a caller who has the time and the devices.
//
// A frame is as in IEEE 802.3, without preamble and checksum: 0 destination, 6 source, 12 type.
// Hosts have addresses of our own making (macOf), so that the switch has nothing to learn.

import assert from 'node:assert/strict';

import type { SeededRandom } from '../seeded-random.ts';
import type { LinkConditions } from './link-conditions.ts';

const HEADER_BYTES = 14;
/** As of a real switch: what does not fit is lost, and TCP sends it again. */
const QUEUE_MAX = 10_000;

/** Locally administered, and for one host: 02:00:00:00:00:01 is the first. */
export function macOf(host: number): string {
  return `02:00:00:00:00:${(host + 1).toString(16).padStart(2, '0')}`;
}

interface Queued {
  readonly dueMs: number;
  readonly from: number;
  readonly to: number;
  readonly frame: Uint8Array;
}

export interface SwitchOptions {
  readonly hostCount: number;
  readonly conditions: LinkConditions;
  readonly random: SeededRandom;
  /** Passes a frame on to a host, at once. */
  readonly deliver: (to: number, frame: Uint8Array) => void;
}

export class EthernetSwitch {
  readonly #options: SwitchOptions;
  /** By time; frames of one time in the order in which they came. */
  readonly #queue: Queued[] = [];

  constructor(options: SwitchOptions) {
    this.#options = options;
  }

  /** A host has sent a frame; the switch keeps no reference to its bytes. */
  receive(from: number, frame: Uint8Array, nowMs: number): void {
    if (frame.length < HEADER_BYTES) return;
    const isForAll = (frame[0]! & 1) === 1;
    const destination = frame[5]! - 1;
    for (let to = 0; to < this.#options.hostCount; to += 1) {
      if (to !== from && (isForAll || to === destination)) this.#send({ from, to, frame }, nowMs);
    }
  }

  /** Delivers what is due. Returns when the next frame is: undefined when there is none. */
  step(nowMs: number): number | undefined {
    let count = 0;
    while (count < this.#queue.length && this.#queue[count]!.dueMs <= nowMs) count += 1;
    for (const { from, to, frame } of this.#queue.splice(0, count)) {
      // A cable that was cut loses what is on its way as well.
      if (!this.#isCut(from, to)) this.#options.deliver(to, frame);
    }
    return this.#queue[0]?.dueMs;
  }

  #send({ from, to, frame }: Omit<Queued, 'dueMs'>, nowMs: number): void {
    const { conditions, random, deliver } = this.#options;
    if (this.#isCut(from, to)) return;
    const ends = [conditions.get(from), conditions.get(to)];
    if (ends.some(({ lossPerMille }) => lossPerMille > 0 && random.int(1, 1000) <= lossPerMille)) {
      return;
    }
    const dueMs = nowMs + ends.reduce((sum, { delayMs }) => sum + delayMs, 0);
    if (dueMs === nowMs && this.#queue.length === 0) deliver(to, frame);
    else this.#enqueue({ dueMs, from, to, frame: frame.slice() });
  }

  #enqueue(queued: Queued): void {
    if (this.#queue.length >= QUEUE_MAX) return;
    const at = this.#queue.findLastIndex(({ dueMs }) => dueMs <= queued.dueMs) + 1;
    this.#queue.splice(at, 0, queued);
    assert((this.#queue[at - 1]?.dueMs ?? 0) <= queued.dueMs, 'The queue is not in order');
  }

  #isCut(from: number, to: number): boolean {
    const { conditions } = this.#options;
    return conditions.get(from).isCut || conditions.get(to).isCut;
  }
}
