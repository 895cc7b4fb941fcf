// What is wrong with the link of each host, in memory that test and switch share: a change counts
// from the next frame on, without a message.

const FIELD_COUNT = 3;
const CUT = 0;
const DELAY_MS = 1;
const LOSS_PER_MILLE = 2;

export interface Condition {
  readonly isCut: boolean;
  /** Each frame from and to the host comes so much later. */
  readonly delayMs: number;
  /** Of a thousand frames from and to the host, so many are lost. */
  readonly lossPerMille: number;
}

export const HEALTHY: Condition = { isCut: false, delayMs: 0, lossPerMille: 0 };

export class LinkConditions {
  /** To be handed to another thread. */
  readonly shared: Int32Array<SharedArrayBuffer>;

  constructor(shared: Int32Array<SharedArrayBuffer>) {
    this.shared = shared;
  }

  static create(hostCount: number): LinkConditions {
    const bytes = hostCount * FIELD_COUNT * Int32Array.BYTES_PER_ELEMENT;
    return new LinkConditions(new Int32Array(new SharedArrayBuffer(bytes)));
  }

  set(host: number, { isCut, delayMs, lossPerMille }: Condition): void {
    const at = host * FIELD_COUNT;
    Atomics.store(this.shared, at + CUT, isCut ? 1 : 0);
    Atomics.store(this.shared, at + DELAY_MS, delayMs);
    Atomics.store(this.shared, at + LOSS_PER_MILLE, lossPerMille);
  }

  get(host: number): Condition {
    const at = host * FIELD_COUNT;
    return {
      isCut: Atomics.load(this.shared, at + CUT) === 1,
      delayMs: Atomics.load(this.shared, at + DELAY_MS),
      lossPerMille: Atomics.load(this.shared, at + LOSS_PER_MILLE),
    };
  }
}
