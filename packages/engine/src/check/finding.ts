// What a deep check has to say about a data folder.

import type { DamagePlace } from '../errors.ts';

/**
 * `damage`: something that was durable is not as it was written.
 *
 * `leftover`: what a crash leaves behind; the next start would deal with it.
 *
 * `unknown`: a file that is not ours. It is left alone.
 */
export type FindingKind = 'damage' | 'leftover' | 'unknown';

export interface Finding extends DamagePlace {
  readonly kind: FindingKind;
  /** What is wrong, a clause that follows the name of the file: `its header is damaged`. */
  readonly what: string;
  /** What repair() does about it; undefined where it can do nothing. */
  readonly repair?: string;
  /** Where nothing can be done: what would be lost, and what somebody who runs the node can do. */
  readonly hint?: string;
}

/** How far it has come; the total may change a little on the way. */
export interface CheckProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface CheckOptions {
  readonly dataFolder: string;
  readonly onProgress?: (progress: CheckProgress) => void;
}

export interface CheckReport {
  /** In the order: the folder, the log, the databases by name. Empty when all is well. */
  readonly findings: readonly Finding[];
  readonly databaseCount: number;
  readonly transactionCount: number;
  readonly pageCount: number;
  readonly readBytes: number;
}

export interface RepairReport {
  /** As it was found. */
  readonly before: CheckReport;
  /** As it is now, checked again: what is still in there was not repaired, and not touched. */
  readonly after: CheckReport;
  /** The folder with the originals of all that was replaced; undefined when nothing was. */
  readonly savedTo: string | undefined;
}
