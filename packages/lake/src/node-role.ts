// The role of the lake from the node whose mount has its catalog: the primary's lake writes, the
// others read.

import type { NodeView } from '@skein/client';

import type { CatalogPosition, LakeRole, RoleSource } from './engine/ports.ts';

/** `database`: the catalog's name on the mount. */
export function roleOfNode(node: NodeView, database: string): RoleSource {
  return {
    get role(): LakeRole {
      return lakeRole(node);
    },
    onRole: (listener) => {
      let last = lakeRole(node);
      return node.on('role', () => {
        const role = lakeRole(node);
        if (role !== last) listener(role);
        last = role;
      });
    },
    position: (): CatalogPosition | undefined => node.state.position(database),
    waitForPosition: async (position, { timeoutMs, signal }) => {
      const options = signal === undefined ? { timeoutMs } : { timeoutMs, signal };
      await node.waitForPosition(database, position, options);
    },
  };
}

/** Reads, whatever the node is: for a lake that is to write nothing. */
export function readOnly(source: RoleSource): RoleSource {
  return {
    role: 'reader',
    onRole: () => () => undefined,
    position: () => source.position(),
    waitForPosition: (position, options) => source.waitForPosition(position, options),
  };
}

function lakeRole(node: NodeView): LakeRole {
  return node.isPrimary ? 'writer' : 'reader';
}
