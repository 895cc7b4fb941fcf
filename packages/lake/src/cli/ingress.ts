// skein lake ingress: one address before a writer and its readers.

import { parseArgs } from 'node:util';

import { createNodeLog } from '@skein/host';

import { address, duration } from '../config/values.ts';
import { startIngress } from '../ingress/start-ingress.ts';
import { LakeUsageError } from './errors.ts';
import type { Surroundings } from './surroundings.ts';

export const INGRESS_HELP = `Usage: skein lake ingress --writer <url> [--reader <url>] … [options]

Takes requests for a lake of several nodes: paths that begin with /w/ go to the writer, without
that, all others to the reader with the least to do. Each node is asked again and again whether it
is well and whether it writes, so a change of roles needs no restart; names are looked up again, so
nodes can be added.

  -w, --writer <url>      http://host:port; may be said more than once
  -r, --reader <url>      http://host:port, likewise; without any the writer answers all
  -a, --address <where>   host:port, or a port of this machine (default: 127.0.0.1:8080)
      --hold <duration>   hold the answer to a write until the readers have it, at most so long:
                          then clients that know of no positions read their own writes (default: 0)
      --fly-replay        answer fly-replay where the writer is on another machine of Fly.io
  -h, --help

Examples:
  skein lake ingress --writer http://lake1:8080 --reader http://lake2:8080 --hold 2s
  skein lake ingress -a :80 -w http://writer:8080 -r http://readers:8080
`;

const DEFAULT_ADDRESS = '127.0.0.1:8080';

export async function ingress(args: readonly string[], surroundings: Surroundings): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      writer: { type: 'string', short: 'w', multiple: true, default: [] },
      reader: { type: 'string', short: 'r', multiple: true, default: [] },
      address: { type: 'string', short: 'a', default: DEFAULT_ADDRESS },
      hold: { type: 'string', default: '0' },
      'fly-replay': { type: 'boolean', default: false },
    },
  });
  const { writer: writers, reader: readers } = values;
  if (writers.length + readers.length === 0) {
    throw new LakeUsageError('say where the nodes are: --writer http://host:port');
  }
  const { host, port } = read('address', address, values.address);
  const holdMs = read('hold', duration, values.hold);
  const log = createNodeLog();
  const stop = surroundings.stopped();
  const flyReplay = values['fly-replay'];
  const running = await startIngress({ host, port, writers, readers, holdMs, flyReplay, log });
  log.info('The ingress takes requests', {
    host: host === '' ? '*' : host,
    port: running.address.port,
  });
  await stop;
  await running.close();
}

interface Reader<T> {
  safeParse(text: string): {
    readonly success: boolean;
    readonly data?: T | undefined;
    readonly error?: { readonly issues: readonly { readonly message: string }[] } | undefined;
  };
}

function read<T>(name: string, reader: Reader<T>, text: string): T {
  const { success, data, error } = reader.safeParse(text);
  if (success) return data as T;
  throw new LakeUsageError(`--${name}: ${error?.issues[0]?.message ?? text}`);
}
