// Hosts of their own on one machine: each a network namespace with an interface and an address, all
// on one switch of ours, whose links a test cuts, delays and makes lossy.
//
// The switch is a thread that passes the Ethernet frames (switch-worker.ts), not the kernel's
// bridge with netem, which many kernels lack: what TCP notices is the same, and the losses come
// from a seed. A process is put on a host by a prefix to its command. It sees the same files and
// mounts as everybody; Unix sockets reach it from anywhere.

import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, readdirSync } from 'node:fs';
import { once } from 'node:events';
import { extname } from 'node:path';
import type { TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';

import { createEventfd, signalEventfd } from '@skein/host';

import { requirePart } from '../require-part.ts';
import { onTestEnd, type TestScope } from '../test-cleanup.ts';
import { macOf } from './ethernet-switch.ts';
import { type Condition, HEALTHY, LinkConditions } from './link-conditions.ts';
import type { SwitchWorkerData } from './switch-worker.ts';

const NAMESPACE_FOLDER = '/run/netns';
const PREFIX = 'skein-test-';
/** Room for the last byte of addresses, with what TEST-NET-2 of RFC 5737 keeps for itself. */
const HOST_COUNT_MAX = 100;
/** Of documentation, so never one that this machine needs. */
const SUBNET = '198.51.100';
const DEVICE = 'eth0';

export interface VirtualHost {
  readonly name: string;
  /** "198.51.100.1" */
  readonly address: string;
  /** What runs a command on this host. */
  readonly prefix: readonly [string, ...string[]];
}

export interface VirtualNetwork {
  readonly hosts: readonly VirtualHost[];
  host(name: string): VirtualHost;
  /** What is not named is healthy. */
  set(name: string, condition: Partial<Condition>): void;
  /** All links are as new. */
  heal(): void;
}

export interface VirtualNetworkOptions {
  readonly hosts: readonly string[];
  /** Of the losses. */
  readonly seed?: number;
  /** First three bytes of the addresses; undefined: of documentation. */
  readonly subnet?: string;
}

/** Whether this machine can have one; otherwise as `requirePart`. */
export function requireNetwork(t: Pick<TestContext, 'skip'>): boolean {
  return requirePart(t, 'root', 'ip', 'nsenter', 'tun');
}

/** Sets up the hosts, which go with the test. */
export async function createNetwork(
  t: TestScope,
  options: VirtualNetworkOptions,
): Promise<VirtualNetwork> {
  const { hosts: names, seed = 1, subnet = SUBNET } = options;
  if (names.length > HOST_COUNT_MAX) throw new RangeError(`Too many hosts: ${names.length}`);
  removeLeftovers();
  const conditions = LinkConditions.create(names.length);
  const deviceNames = names.map((_, index) => `sk${process.pid}.${index}`);
  await startSwitch(t, { deviceNames, conditions: conditions.shared, seed });
  const hosts = names.map((name, index) => {
    const address = `${subnet}.${index + 1}`;
    return createHost(t, { name, address, mac: macOf(index), device: deviceNames[index]! });
  });
  const indexOf = (name: string): number => {
    const index = names.indexOf(name);
    if (index === -1) throw new RangeError(`There is no host ${name}`);
    return index;
  };
  return {
    hosts,
    host: (name) => hosts[indexOf(name)]!,
    set: (name, condition) => conditions.set(indexOf(name), { ...HEALTHY, ...condition }),
    heal: () => {
      for (const index of hosts.keys()) conditions.set(index, HEALTHY);
    },
  };
}

async function startSwitch(t: TestScope, data: Omit<SwitchWorkerData, 'endFd'>): Promise<void> {
  const endFd = createEventfd();
  const script = new URL(`switch-worker${extname(import.meta.url)}`, import.meta.url);
  const workerData: SwitchWorkerData = { ...data, endFd };
  const worker = new Worker(script, { workerData, name: 'switch' });
  const ended = once(worker, 'exit');
  onTestEnd(t, async () => {
    // It ends by itself: Node must not stop a thread that is inside a system call of koffi.
    signalEventfd(endFd);
    await ended;
    closeSync(endFd);
  });
  // Rejects with the error of a thread that cannot make its devices.
  await once(worker, 'message');
  worker.unref();
}

interface HostSetup {
  readonly name: string;
  readonly address: string;
  readonly mac: string;
  readonly device: string;
}

function createHost(t: TestScope, { name, address, mac, device }: HostSetup): VirtualHost {
  const namespace = `${PREFIX}${process.pid}-${name}`;
  runIp('netns', 'add', namespace);
  onTestEnd(t, () => runIp('netns', 'delete', namespace));
  runIp('link', 'set', device, 'address', mac);
  runIp('link', 'set', device, 'netns', namespace, 'name', DEVICE);
  runIp('-netns', namespace, 'address', 'add', `${address}/24`, 'dev', DEVICE);
  runIp('-netns', namespace, 'link', 'set', DEVICE, 'up');
  runIp('-netns', namespace, 'link', 'set', 'lo', 'up');
  // Not `ip netns exec`, whose mount namespace would keep mounts of the host from everybody else.
  return { name, address, prefix: ['nsenter', `--net=${NAMESPACE_FOLDER}/${namespace}`] };
}

/** Namespaces outlive the process that made them: those of dead ones are in nobody's use. */
function removeLeftovers(): void {
  if (!existsSync(NAMESPACE_FOLDER)) return;
  for (const namespace of readdirSync(NAMESPACE_FOLDER)) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(namespace)?.[1];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    try {
      runIp('netns', 'delete', namespace);
    } catch (error) {
      // Other tests clear away the same, at the same moment.
      if (existsSync(`${NAMESPACE_FOLDER}/${namespace}`)) throw error;
    }
  }
}

function runIp(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr.trim()}`);
}
