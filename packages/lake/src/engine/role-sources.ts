// Where the engine learns who this node is: a plain file is always the writer's.

import type { RoleSource } from './ports.ts';

/** For a catalog that is not replicated. */
export function alwaysWriter(): RoleSource {
  return {
    role: 'writer',
    onRole: () => () => undefined,
    position: () => undefined,
    waitForPosition: () => Promise.resolve(),
  };
}
