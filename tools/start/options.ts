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
  /** Adds one node to those that run, and serves it alone. */
  readonly isAdded: boolean;
  /** Who is primary, in the configuration of all nodes. */
  readonly primary: string;
  /** Nodes whose configuration names another primary, each with that name. */
  readonly dissenters: ReadonlyMap<string, string>;
}

export const START_HELP = `Usage: npm start -- [options]

Starts nodes on this machine, each with a mount, the application of examples/messages and a proxy
before it, and serves until Ctrl-C.

  --nodes <number>     how many, at most 9 (default: 3)
  --port <port>        of the first node's proxy, those of the others count upward (default: 8001)
  --primary <name>     who takes writes (default: node1); node1:node2 tells so to node1 alone
  --folder <folder>    where the nodes live (default: .demo)
  --fresh              begin with empty databases
  --add                one more node, while the others run

Its commands: npm run createsuperuser, npm run makemigrations, npm run migrate.
`;

/** Each node is two processes, and all are on one machine. */
const NODE_COUNT_MAX = 9;
const PORT_MAX = 65_535;
const DEFAULT_PRIMARY = 'node1';

/** Throws RangeError, or what parseArgs() throws. */
export function parseStartOptions(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
): StartOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      nodes: { type: 'string', default: '3' },
      port: { type: 'string', default: '8001' },
      fresh: { type: 'boolean', default: false },
      folder: { type: 'string' },
      add: { type: 'boolean', default: false },
      primary: { type: 'string', multiple: true, default: [] },
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
  const primaries = parsePrimaries(values.primary, nodeCount, environment['PRIMARY_HOSTNAME']);
  return { nodeCount, port, isFresh: values.fresh, folder, isAdded: values.add, ...primaries };
}

/** `node2` is meant for all nodes, `node1:node2` for node1 alone. */
function parsePrimaries(
  words: readonly string[],
  nodeCount: number,
  usual: string = DEFAULT_PRIMARY,
): Pick<StartOptions, 'primary' | 'dissenters'> {
  const known = new Set(Array.from({ length: nodeCount }, (_, index) => `node${index + 1}`));
  let primary = usual;
  const dissenters = new Map<string, string>();
  for (const word of words) {
    const [first = '', second] = word.split(':');
    if (second === undefined) primary = first;
    else dissenters.set(first, second);
  }
  for (const name of [primary, ...dissenters.keys(), ...dissenters.values()]) {
    if (!known.has(name)) {
      throw new RangeError(`Expected --primary to name one of ${[...known].join(', ')}: ${name}`);
    }
  }
  return { primary, dissenters };
}
