// Chance in a power cut or a failed sync: which of the changes that nobody synced are found
// afterwards. sim-content.ts and sim-folder.ts ask, and keep to what a file system can do.

import type { SeededRandom } from '../seeded-random.ts';

export type PowerCutMode =
  /** Nothing that was not synced survives. */
  | 'lose-all'
  /** Everything survives, as if the cache had been written back just in time. */
  | 'keep-all'
  /** Everything up to some moment survives; the change of that moment may be torn. */
  | 'prefix'
  /** Each write survives, is lost, or is torn, by itself; names and sizes up to some moment. */
  | 'random';

export const POWER_CUT_MODES: readonly PowerCutMode[] = [
  'lose-all',
  'keep-all',
  'prefix',
  'random',
];

/** The sectors that a write touches. */
export interface SectorRange {
  readonly first: number;
  /** Exclusive. */
  readonly end: number;
}

/** Which sectors of one write reached the medium. */
export type SectorFate = 'all' | 'none' | ((sector: number) => boolean);

export interface Fate {
  ofWrite(seq: number, sectors: SectorRange): SectorFate;
  /**
   * How many changes of sizes or of names survive, given their numbers in ascending order: always
   * the first ones, since file systems keep such changes in a journal.
   */
  countKept(seqs: readonly number[]): number;
}

/** `nextSeq` is the number that the disk's next change would have. */
export function createFate(random: SeededRandom, mode: PowerCutMode, nextSeq: number): Fate {
  const fates: Readonly<Record<PowerCutMode, () => Fate>> = {
    'lose-all': () => ({ ofWrite: () => 'none', countKept: () => 0 }),
    'keep-all': () => ({ ofWrite: () => 'all', countKept: (seqs) => seqs.length }),
    prefix: () => prefixFate(random, random.int(-1, nextSeq - 1)),
    random: () => randomFate(random),
  };
  return fates[mode]();
}

/** `last` is the number of the last change that survives, torn if it is a write. */
function prefixFate(random: SeededRandom, last: number): Fate {
  return {
    ofWrite: (seq, sectors) => {
      if (seq === last) return tear(random, sectors);
      return seq < last ? 'all' : 'none';
    },
    countKept: (seqs) => seqs.filter((seq) => seq <= last).length,
  };
}

function randomFate(random: SeededRandom): Fate {
  // Some power cuts lose nearly everything, some nearly nothing: both ends find bugs.
  const lossRate = random.pick([0.1, 0.5, 0.9]);
  return {
    ofWrite: (_seq, sectors) => {
      if (random.bool(0.4)) return tear(random, sectors);
      return random.bool(lossRate) ? 'none' : 'all';
    },
    countKept: (seqs) => random.int(0, seqs.length),
  };
}

function tear(random: SeededRandom, sectors: SectorRange): SectorFate {
  const middle = random.int(sectors.first, sectors.end);
  return random.pick([
    (sector: number) => sector < middle,
    (sector: number) => sector >= middle,
    () => random.bool(),
  ]);
}
