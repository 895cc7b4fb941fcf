// Ports of this machine that nobody uses. Somebody else may take one before it is used: rare, as
// the kernel hands out others first.

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** All different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(
    servers.map(async (server) => {
      server.close();
      await once(server, 'close');
    }),
  );
  return ports;
}
