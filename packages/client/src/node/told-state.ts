// What a daemon tells of its node (GET /v1/state): all of it at first, then what is another now.
//
//   {"seq":7,"name":"node2","role":"replica","epoch":3,"lagMs":12,"primary":{"name":"node1",…},
//    "positions":{"app.db":{"epoch":3,"txid":"000000000000002a"},"gone.db":null}}

import type { PrimaryAddress } from '../errors.ts';
import type { NodeRole, Position } from '../node-view.ts';

export interface ToldState {
  /** Grows by one with each line, for all who listen alike. */
  readonly seq: number;
  readonly name: string;
  readonly role: NodeRole;
  readonly epoch: number;
  readonly lagMs: number;
  readonly primary?: PrimaryAddress;
  /** null: the database is gone. Those that are not named stand where they stood. */
  readonly positions: Readonly<Record<string, ToldPosition | null>>;
}

export interface ToldPosition {
  readonly epoch: number;
  /** Sixteen hexadecimal digits. */
  readonly txid: string;
}

const ROLES: ReadonlySet<unknown> = new Set<NodeRole>([
  'primary',
  'replica',
  'no-primary',
  'fenced',
]);

/** Throws SyntaxError for what no daemon of this version says. */
export function parseToldState(line: string): ToldState {
  const told = JSON.parse(line) as Partial<ToldState> | null;
  const isState =
    typeof told === 'object' &&
    told !== null &&
    Number.isSafeInteger(told.seq) &&
    typeof told.name === 'string' &&
    ROLES.has(told.role) &&
    Number.isSafeInteger(told.epoch) &&
    typeof told.lagMs === 'number' &&
    typeof told.positions === 'object';
  if (isState) return told as ToldState;
  throw new SyntaxError(`The node tells what is no state: ${line.slice(0, 100)}`);
}

/** `{"seq":7}`: the number of the line by which all is told that was committed before. */
export function parseSettled(text: string): number {
  const { seq } = JSON.parse(text) as { readonly seq?: unknown };
  if (typeof seq === 'number') return seq;
  throw new SyntaxError(`The node tells no number: ${text.slice(0, 100)}`);
}

/** Changes `positions` by what is told of them. */
export function takePositions(told: ToldState, positions: Map<string, Position>): void {
  for (const [database, position] of Object.entries(told.positions)) {
    if (position === null) positions.delete(database);
    else positions.set(database, toPosition(position));
  }
}

function toPosition({ epoch, txid }: ToldPosition): Position {
  return { epoch, txid: BigInt(`0x${txid}`) };
}
