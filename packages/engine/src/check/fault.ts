// What a survey of a data folder finds, together with what can be done about it.

import type { DamagePlace } from '../errors.ts';
import type { Finding, FindingKind } from './finding.ts';

/** One step of a repair. Files are relative to the data folder. */
export type Remedy =
  /** Bytes that follow from what is sound. */
  | {
      readonly kind: 'write';
      readonly file: string;
      readonly offset: number;
      readonly bytes: Uint8Array;
      readonly description: string;
    }
  | { readonly kind: 'truncate'; readonly file: string; readonly sizeBytes: number }
  | { readonly kind: 'remove'; readonly file: string }
  /** The database is brought to where the log ends, with a sidecar and a checkpoint made anew. */
  | { readonly kind: 'rebuild'; readonly database: string }
  /** All databases are brought to where the log ends, then the log is begun anew. */
  | { readonly kind: 'new-log' }
  /** The log is said to begin where it does. */
  | { readonly kind: 'log-bounds'; readonly firstLsn: number }
  /** The node gets another identity. */
  | { readonly kind: 'new-node' };

export interface Fault extends DamagePlace {
  readonly kind: FindingKind;
  readonly what: string;
  readonly remedy?: Remedy;
  readonly hint?: string;
}

export function toFinding({ remedy, ...rest }: Fault): Finding {
  return remedy === undefined ? rest : { ...rest, repair: describe(remedy) };
}

function describe(remedy: Remedy): string {
  switch (remedy.kind) {
    case 'write':
      return remedy.description;
    case 'truncate':
      return `cut the file to ${remedy.sizeBytes} bytes`;
    case 'remove':
      return 'remove it';
    case 'rebuild':
      return 'put the database together from its file and the log, and make its sidecar anew';
    case 'new-log':
      return 'bring all databases to where the log ends, then begin the log anew';
    case 'log-bounds':
      return `write it again: the log begins with record ${remedy.firstLsn}`;
    case 'new-node':
      return 'give the node a new identity';
  }
}
