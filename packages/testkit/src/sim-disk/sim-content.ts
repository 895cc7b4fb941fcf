// What one simulated file holds: as programs see it, and as it is on the medium.
//
// Reads see every write at once (the page cache). The medium has what was synced; what came later
// waits in `#pending`. When the power fails each 512-byte sector is found as it was after *some*
// write that touched it, or as it was synced: a sector holds everything written into it up to that
// write, since the cache is written out in whole sectors, but two sectors know nothing of each
// other, so pages and frames tear. Sizes follow the order of their changes. Where a size survived
// and the data did not, zeros are found.

import { SparseBytes } from './sparse-bytes.ts';
import type { Fate } from './fate.ts';

export const SECTOR_SIZE_BYTES = 512;

type Change =
  /** `bytes` is a length where zeros were written, so that filling a large file costs nothing. */
  | { readonly kind: 'write'; readonly seq: number; readonly position: number; bytes: WrittenBytes }
  | { readonly kind: 'resize'; readonly seq: number; readonly size: number };

type WrittenBytes = Uint8Array | number;

export class SimContent {
  readonly visible: SparseBytes;
  modifiedMs = 0;
  #durable: SparseBytes;
  #pending: Change[] = [];

  constructor(durable: SparseBytes = new SparseBytes()) {
    this.#durable = durable;
    this.visible = durable.fork();
  }

  /** Takes `bytes` over: the caller must not change them. */
  write(seq: number, bytes: WrittenBytes, position: number): void {
    this.#change({ kind: 'write', seq, position, bytes });
  }

  resize(seq: number, size: number): void {
    this.#change({ kind: 'resize', seq, size });
  }

  /** Makes the changes before number `seq` durable. */
  sync(seq: number): void {
    for (const change of this.#pending) {
      if (change.seq < seq) applyChange(this.#durable, change);
    }
    this.#forget(seq);
  }

  /**
   * A sync that failed, as on Linux: of the changes before number `seq` some reached the medium,
   * the others never will, and no later sync reports them.
   */
  failSync(seq: number, fate: Fate): void {
    const tried = this.#pending.filter((change) => change.seq < seq);
    this.#durable = survive(this.#durable, tried, fate);
    this.#forget(seq);
  }

  /** The file as it is found when the power fails now. */
  afterPowerCut(fate: Fate): SimContent {
    return new SimContent(survive(this.#durable, this.#pending, fate));
  }

  #change(change: Change): void {
    applyChange(this.visible, change);
    this.#pending.push(change);
  }

  #forget(seq: number): void {
    this.#pending = this.#pending.filter((change) => change.seq >= seq);
  }
}

function applyChange(target: SparseBytes, change: Change): void {
  if (change.kind === 'resize') target.resize(change.size);
  else if (typeof change.bytes === 'number') target.writeZeros(change.position, change.bytes);
  else target.write(change.bytes, change.position);
}

function survive(durable: SparseBytes, pending: readonly Change[], fate: Fate): SparseBytes {
  const found = durable.fork();
  // Runs through the history of the file; sectors that survive are taken from it as they pass.
  const passing = durable.fork();
  const sizesKept = fate.countKept(pending.map((change) => change.seq));
  pending.forEach((change, index) => {
    applyChange(passing, change);
    if (index < sizesKept) found.resize(passing.size);
    if (change.kind === 'write') keepSectors(change, fate, passing, found);
  });
  return found;
}

function keepSectors(
  change: Change & { kind: 'write' },
  fate: Fate,
  passing: SparseBytes,
  found: SparseBytes,
): void {
  const length = typeof change.bytes === 'number' ? change.bytes : change.bytes.length;
  const first = Math.floor(change.position / SECTOR_SIZE_BYTES);
  const end = Math.ceil((change.position + length) / SECTOR_SIZE_BYTES);
  const kept = fate.ofWrite(change.seq, { first, end });
  if (kept === 'none') return;
  const copy = (from: number, to: number): void => {
    // What lies past the size that was found cannot be reached any more.
    const start = from * SECTOR_SIZE_BYTES;
    const stop = Math.min(to * SECTOR_SIZE_BYTES, found.size);
    if (start < stop) found.copyRange(passing, start, stop - start);
  };
  if (kept === 'all') {
    copy(first, end);
    return;
  }
  for (let sector = first; sector < end; sector += 1) {
    if (kept(sector)) copy(sector, sector + 1);
  }
}
