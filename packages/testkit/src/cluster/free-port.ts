// Ports of this machine that nobody uses, and that nobody is given while this process lives.
//
// Not those that the kernel hands out: between the moment in which such a port is found free and
// that in which a program listens, any connection of the machine may get it, and so it may while
// that program is restarted. What is found here is below their range, and taken by a socket without
// a file that is named after the port, which goes with this process.

import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

const LOOPBACK = '127.0.0.1';
const FIRST = 10_000;
/** Linux hands out ports from 32768 on by itself (ip_local_port_range of ip(7)). */
const END = 32_768;
const TRIES_MAX = 1000;

/** All different. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries += 1) {
    if (tries >= TRIES_MAX) throw new Error(`Cannot find ${count} ports that nobody uses`);
    const port = randomInt(FIRST, END);
    if ((await tryTake(port)) && (await isFree(port))) ports.push(port);
  }
  return ports;
}

/** As many as that, each one more than the one before. */
export async function freePortsInARow(count: number): Promise<number[]> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const first = randomInt(FIRST, END - count);
    const ports = Array.from({ length: count }, (_, index) => first + index);
    if ((await areAll(ports, tryTake)) && (await areAll(ports, isFree))) return ports;
  }
  throw new Error(`Cannot find ${count} ports in a row that nobody uses`);
}

async function areAll(
  ports: readonly number[],
  isSo: (port: number) => Promise<boolean>,
): Promise<boolean> {
  for (const port of ports) if (!(await isSo(port))) return false;
  return true;
}

/** False when another process of tests has it, or this one. */
async function tryTake(port: number): Promise<boolean> {
  const server = createServer();
  // The first byte says that there is no file (unix(7)).
  if (!(await tryListen(server, { path: `\0skein-test-port-${port}` }))) return false;
  server.unref();
  return true;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  if (!(await tryListen(server, { host: LOOPBACK, port }))) return false;
  server.close();
  await once(server, 'close');
  return true;
}

async function tryListen(server: Server, at: Parameters<Server['listen']>[0]): Promise<boolean> {
  try {
    server.listen(at);
    await once(server, 'listening');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
}
