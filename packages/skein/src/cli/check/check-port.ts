// Whether an address that the node is to listen on is free.

import { createServer } from 'node:net';

import type { Address } from '../../config/values.ts';
import type { CheckResult } from './check-result.ts';

/** Listens for a moment. A port that the node itself uses is no fault. */
export async function checkPort({ host, port }: Address, isServed: boolean): Promise<CheckResult> {
  const name = 'port';
  const shown = `${host}:${port}`;
  if (isServed)
    return { name, level: 'ok', message: `${shown} is the affair of the node that runs` };
  const code = await findListenFault(host, port);
  if (code === undefined) return { name, level: 'ok', message: `${shown} is free` };
  const message = `listening on ${shown} gives ${code}`;
  const fix = `choose another one; who has it: ss -tlnp 'sport = :${port}'`;
  return { name, level: 'fail', message, fix };
}

function findListenFault(host: string, port: number): Promise<string | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    server.listen(host === '' ? { port } : { host, port }, () => {
      server.close(() => resolve(undefined));
    });
  });
}
