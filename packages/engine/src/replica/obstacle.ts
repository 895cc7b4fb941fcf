// Why a replica cannot apply just now what it has received; logging and acknowledging go on.

export type ObstacleKind =
  /** There is no mount yet, or its files cannot be opened. */
  | 'mount'
  /** A client holds WAL_WRITE_LOCK: one that had the database open for writing before. */
  | 'writer'
  /** A reader holds an old state, and the WAL has reached its limit. */
  | 'reader'
  /** The disk takes no more, or fails. */
  | 'disk';

export interface Obstacle {
  readonly kind: ObstacleKind;
  /** The process that is in the way, where that is known. */
  readonly pid?: number;
  readonly message: string;
}
