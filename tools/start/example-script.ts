// Runs a script of examples/messages for a node: for that whose settings stand in the environment,
// as in a container, else for the primary of what `npm start` runs.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { Cluster, messagesEnvironment, SOURCE_FLAGS } from '@skein/testkit';

import { DATABASE, EXAMPLE, homeOf, messagesNode, readDemo } from './demo.ts';

/** Ends with its exit code. Throws RangeError when nothing runs. */
export async function runExampleScript(script: string, args: readonly string[]): Promise<void> {
  const command = [...SOURCE_FLAGS, join(EXAMPLE, 'src', script), ...args];
  const env = { ...process.env, ...nodeEnvironment() };
  const child = spawn(process.execPath, command, { env, stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
}

function nodeEnvironment(): NodeJS.ProcessEnv {
  if (['SKEIN_MOUNT_PATH', 'LITEFS_MOUNT_PATH'].some((name) => process.env[name])) return {};
  const folder = homeOf(undefined);
  const { places, primary } = readDemo(folder);
  const cluster = new Cluster(places, { folder, proxyDatabase: DATABASE });
  return messagesEnvironment(messagesNode(cluster, primary));
}
