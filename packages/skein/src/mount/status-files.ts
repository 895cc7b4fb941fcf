// The files by which a node tells of itself: `.primary` and `.lag` as LiteFS shows them (fuse/
// primary_node.go and lag_node.go of LiteFS 0.5), and `.skein/status.json`.
//
// They belong to no database and nobody can change them. Their numbers are fixed, below those of
// all other files.

import type { Clock } from '@skein/host';

import { ROOT_ID } from './nodes.ts';
import type { NodeShownState } from './shown-state.ts';

export const STATUS_FOLDER_ID = 2;
const PRIMARY_ID = 3;
const LAG_ID = 4;
const STATUS_ID = 5;

export const PRIMARY_NAME = '.primary';
const LAG_NAME = '.lag';
const STATUS_FOLDER_NAME = '.skein';
const STATUS_NAME = 'status.json';

export interface StatusEntry {
  readonly id: number;
  readonly name: string;
  readonly isFolder: boolean;
}

const PRIMARY: StatusEntry = { id: PRIMARY_ID, name: PRIMARY_NAME, isFolder: false };
const LAG: StatusEntry = { id: LAG_ID, name: LAG_NAME, isFolder: false };
const FOLDER: StatusEntry = { id: STATUS_FOLDER_ID, name: STATUS_FOLDER_NAME, isFolder: true };
const STATUS: StatusEntry = { id: STATUS_ID, name: STATUS_NAME, isFolder: false };

const IN_ROOT: readonly StatusEntry[] = [LAG, PRIMARY, FOLDER];

const utf8 = new TextEncoder();

export class StatusFiles {
  readonly #clock: Clock;
  #state: NodeShownState | undefined;
  #pushedMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Of a replica that is connected. */
  get primaryName(): string | undefined {
    return this.#state?.primaryName;
  }

  /** Takes a newer state. Returns whether the file `.primary` is another one now, or none. */
  show(state: NodeShownState): boolean {
    const before = this.#state?.primaryName;
    this.#state = state;
    this.#pushedMs = this.#clock.wallMs();
    return state.primaryName !== before;
  }

  /** Whether a number is that of a status file or of their folder. */
  has(nodeid: number): boolean {
    return nodeid > ROOT_ID && nodeid <= STATUS_ID;
  }

  /** Whether a name is not for others to use, shown now or not. */
  reserves(parent: number, name: string): boolean {
    if (parent !== ROOT_ID) return parent === STATUS_FOLDER_ID;
    return this.#state !== undefined && IN_ROOT.some((entry) => entry.name === name);
  }

  /** What a folder shows now, in the order of a listing. */
  entries(folder: number): readonly StatusEntry[] {
    if (this.#state === undefined) return [];
    if (folder === STATUS_FOLDER_ID) return [STATUS];
    return IN_ROOT.filter((entry) => entry !== PRIMARY || this.#state?.primaryName !== undefined);
  }

  find(parent: number, name: string): StatusEntry | undefined {
    return this.entries(parent).find((entry) => entry.name === name);
  }

  /** What a file says now; empty when it is not shown any more. */
  content(id: number): Uint8Array {
    const state = this.#state;
    if (state === undefined) return new Uint8Array(0);
    switch (id) {
      case PRIMARY_ID:
        return utf8.encode(state.primaryName === undefined ? '' : `${state.primaryName}\n`);
      case LAG_ID:
        return utf8.encode(formatLag(lagMs(state, this.#clock.wallMs())));
      default:
        return utf8.encode(`${state.statusJson}\n`);
    }
  }

  /** As LiteFS: of the lag the time of the primary that it counts from. */
  modifiedMs(id: number): number {
    if (id !== LAG_ID) return this.#pushedMs;
    return this.#state?.role === 'primary' ? this.#clock.wallMs() : (this.#state?.heardMs ?? 0);
  }
}

/** What LiteFS says of a replica that never heard of its primary. */
const NEVER_MS = 2_147_483_647;
const LAG_BYTES = 11;
const LAG_WIDTH = 10;

/** Differs from the truth by as much as the clocks of the two nodes do. */
function lagMs({ role, heardMs }: NodeShownState, nowMs: number): number {
  if (role === 'primary') return 0;
  return heardMs === undefined ? NEVER_MS : Math.round(nowMs - heardMs);
}

/**
 * Milliseconds with their sign, filled up with zeros to ten characters, and a newline; what is
 * longer loses its end, the newline first (`%+010d\n` of Go, in a file of eleven bytes).
 */
export function formatLag(ms: number): string {
  const bounded = Math.min(Math.max(ms, -NEVER_MS), NEVER_MS);
  const digits = String(Math.abs(bounded)).padStart(LAG_WIDTH - 1, '0');
  return `${bounded < 0 ? '-' : '+'}${digits}\n`.slice(0, LAG_BYTES);
}
