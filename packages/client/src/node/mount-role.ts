// The role that a node shows in its mount, `.skein/status.json`, for those who cannot wait for the
// news of it: who has just been refused a write, in a call that does not return to the event loop.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { NodeState } from '../node-view.ts';

export type RoleNow = Pick<NodeState, 'role' | 'primary'>;

/** Undefined: the mount shows none, as that of a node that is alone. */
export function maybeReadRole(mountPath: string): RoleNow | undefined {
  try {
    const text = readFileSync(join(mountPath, '.skein', 'status.json'), 'utf8');
    const { role, primary } = JSON.parse(text) as Partial<RoleNow>;
    if (role === undefined) return undefined;
    return { role, ...(primary === undefined ? {} : { primary }) };
  } catch {
    // No file, or no mount any more: what the daemon told last is what is known.
    return undefined;
  }
}
