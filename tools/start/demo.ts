// What `npm start` leaves behind for those who come while it runs: which nodes there are, and
// where. `npm run migrate` and the like find the nodes by it, and so does a node that is added.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { type Cluster, type MessagesNode, type NodePlace } from '@skein/testkit';

export const DATABASE = 'db.sqlite3';
export const LOOPBACK = '127.0.0.1';
/** Of the checkout that this file is in. */
export const ROOT = dirname(dirname(import.meta.dirname));
export const EXAMPLE = join(ROOT, 'examples', 'messages');

const DEFAULT_HOME = join(ROOT, '.demo');
const STATE_FILE = 'demo.json';

/** Where the nodes live. */
export function homeOf(folder: string | undefined): string {
  return folder ?? process.env['SKEIN_DEMO'] ?? DEFAULT_HOME;
}

export interface Demo {
  readonly places: readonly NodePlace[];
  readonly primary: string;
}

export function writeDemo(home: string, demo: Demo): void {
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, STATE_FILE), `${JSON.stringify(demo, undefined, 2)}\n`);
}

/** Throws RangeError when none was ever started there. */
export function readDemo(home: string): Demo {
  const path = join(home, STATE_FILE);
  if (!existsSync(path)) throw nothingRuns();
  return JSON.parse(readFileSync(path, 'utf8')) as Demo;
}

export function nothingRuns(): RangeError {
  return new RangeError('Nothing runs here: npm start is first');
}

/** As the application of the node is told. */
export function messagesNode(cluster: Cluster, name: string): MessagesNode {
  const { mountpoint, dataFolder } = cluster.node(name);
  const { host, appPort } = cluster.place(name);
  return {
    name,
    mountPath: mountpoint,
    dataPath: dataFolder,
    databaseName: DATABASE,
    host,
    port: appPort,
  };
}

/** As it is typed from where npm was called. */
export function shownPath(path: string): string {
  return relative(process.env['INIT_CWD'] ?? process.cwd(), path);
}
