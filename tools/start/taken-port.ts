// Ports that somebody else listens on, noticed before anything is started.

import { once } from 'node:events';
import { createServer } from 'node:net';

/** The first port of these that cannot be listened on; undefined when all can. */
export async function findTakenPort(ports: readonly number[]): Promise<number | undefined> {
  for (const port of ports) if (!(await isFree(port))) return port;
  return undefined;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
