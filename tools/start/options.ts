// The command line of `npm start`.

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { parsePositive } from '@skein/testkit';

export interface StartOptions {
  readonly nodeCount: number;
  /** The proxy of the first node; those of the others count upward. */
  readonly port: number;
  /** Begins with empty databases. */
  readonly isFresh: boolean;
  /** Where the nodes live; undefined: in the checkout. */
  readonly folder: string | undefined;
}

/** Each node is two processes, and all are on one machine. */
const NODE_COUNT_MAX = 9;
const PORT_MAX = 65_535;

/** Throws RangeError, or what parseArgs() throws. */
export function parseStartOptions(argv: readonly string[]): StartOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      nodes: { type: 'string', default: '3' },
      port: { type: 'string', default: '8001' },
      fresh: { type: 'boolean', default: false },
      folder: { type: 'string' },
    },
  });
  const nodeCount = parsePositive('nodes', values.nodes);
  if (nodeCount > NODE_COUNT_MAX) {
    throw new RangeError(`Expected --nodes to be at most ${NODE_COUNT_MAX}: ${nodeCount}`);
  }
  const port = parsePositive('port', values.port);
  if (port + nodeCount - 1 > PORT_MAX) {
    throw new RangeError(`There is no port ${PORT_MAX + 1}: --port ${port} is too high`);
  }
  const folder = values.folder === undefined ? undefined : resolve(values.folder);
  return { nodeCount, port, isFresh: values.fresh, folder };
}
