// One moment of a node, out of what its daemon tells.

import type { PrimaryAddress } from '../errors.ts';
import type { NodeRole, NodeState, Position } from '../node-view.ts';

export interface StateParts {
  readonly name: string;
  readonly role: NodeRole;
  readonly epoch: number;
  readonly primary?: PrimaryAddress | undefined;
  readonly lagMs: number;
  readonly positions: ReadonlyMap<string, Position>;
}

export function createState({ positions, primary, ...rest }: StateParts): NodeState {
  return Object.freeze({
    ...rest,
    ...(primary === undefined ? {} : { primary: Object.freeze({ ...primary }) }),
    position: (database: string): Position | undefined => positions.get(database),
  });
}
