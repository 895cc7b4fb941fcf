// An application of one node, as a process on the node's host; killed when the test is over.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';

import { type Cluster, onTestEnd, SOURCE_FLAGS } from '@skein/testkit';

export interface AppProcessOptions {
  readonly cluster: Cluster;
  readonly nodeName: string;
  /** A script that takes --database, --node and --port, and sends a message when it listens. */
  readonly script: string;
  readonly database: string;
  /** Further arguments. */
  readonly args?: readonly string[];
}

export async function startAppProcess(
  t: TestContext,
  options: AppProcessOptions,
): Promise<ChildProcess> {
  const { cluster, nodeName, script, database, args = [] } = options;
  const { appPort } = cluster.place(nodeName);
  const path = cluster.node(nodeName).path(database);
  const own = ['--database', path, '--node', nodeName, '--port', String(appPort)];
  const child = spawn(process.execPath, [...SOURCE_FLAGS, script, ...own, ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  onTestEnd(t, () => void child.kill('SIGKILL'));
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error(`The application of ${nodeName} ended at its start`);
    }),
  ]);
  return child;
}
