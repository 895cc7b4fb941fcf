// The next segment, made ready before it is needed: a file full of zeros that were written for
// real.
//
// A sync of a file that already has its size and its blocks costs one flush. Without that, each
// sync also commits the file system's own journal: about twice the time. Files of sealed segments
// that are no longer needed are used again, which saves writing the zeros.

import { type BackgroundIo, type Disk, DiskError, type DiskFile, type Log } from '@skein/host';

const SPARE_NAME = 'spare';

export interface SpareSegmentOptions {
  readonly disk: Disk;
  readonly background: BackgroundIo;
  readonly log: Log;
  readonly folder: string;
  readonly segmentBytes: number;
}

export class SpareSegment {
  readonly #options: SpareSegmentOptions;
  readonly #path: string;
  #state: 'none' | 'filling' | 'ready' = 'none';

  constructor(options: SpareSegmentOptions) {
    this.#options = options;
    this.#path = `${options.folder}/${SPARE_NAME}`;
    const { disk, segmentBytes } = options;
    // A file that a power cut has emptied in part serves as well, with slower syncs.
    if (disk.stat('log.spare.stat', this.#path)?.sizeBytes === segmentBytes) this.#state = 'ready';
    else disk.remove('log.spare.remove', this.#path);
  }

  get isReady(): boolean {
    return this.#state === 'ready';
  }

  /** Starts to make one, unless there is one or it is being made. */
  prepare(): void {
    if (this.#state !== 'none') return;
    const { disk, background, segmentBytes } = this.#options;
    this.#state = 'filling';
    let file: DiskFile | undefined;
    const finish = (error: Error | undefined): void => {
      file?.close();
      if (error !== undefined) this.#giveUp(error);
      else this.#state = 'ready';
    };
    try {
      file = disk.open('log.spare.create', this.#path, 'create');
      background.fill('log.spare.fill', file, { from: 0, to: segmentBytes }, finish);
    } catch (error) {
      finish(error as Error);
    }
  }

  /** Takes over the file of a segment that is no longer needed; false when there is a spare. */
  tryRecycle(path: string): boolean {
    const { disk, segmentBytes } = this.#options;
    if (this.#state !== 'none') return false;
    if ((disk.stat('log.spare.stat', path)?.sizeBytes ?? 0) < segmentBytes) return false;
    disk.rename('log.spare.recycle', path, this.#path);
    this.#state = 'ready';
    return true;
  }

  /** Gives the spare away under another name; false when there is none, or it cannot be had. */
  tryTake(path: string): boolean {
    if (this.#state !== 'ready') return false;
    this.#state = 'none';
    try {
      this.#options.disk.rename('log.spare.take', this.#path, path);
      return true;
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      return false;
    }
  }

  /** Without a spare the log goes on; each sync is slower. A full disk shows when it matters. */
  #giveUp(error: Error): void {
    const { disk, log, segmentBytes } = this.#options;
    log.warn('Cannot prepare the next log segment', { error: error.message, segmentBytes });
    disk.remove('log.spare.remove', this.#path);
    this.#state = 'none';
  }
}
