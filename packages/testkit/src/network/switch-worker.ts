// The thread of virtual-network.ts: owns one TAP device a host and passes frames between them.
//
// It blocks in poll(2), so it is never told anything but to end: the conditions of the links are in
// shared memory, and an eventfd wakes it for the last time. A device belongs to this thread's
// descriptor: however the process ends, the kernel takes the devices away.

import { closeSync, openSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

import { ERRNO, ioctl, Poller, readDescriptor, setNonBlocking, writeDescriptor } from '@skein/host';

import { SeededRandom } from '../seeded-random.ts';
import { EthernetSwitch } from './ethernet-switch.ts';
import { LinkConditions } from './link-conditions.ts';

export interface SwitchWorkerData {
  readonly deviceNames: readonly string[];
  readonly conditions: Int32Array<SharedArrayBuffer>;
  readonly seed: number;
  /** Readable when the thread shall end. */
  readonly endFd: number;
}

const TUN_DEVICE = '/dev/net/tun';
// linux/if_tun.h; struct ifreq (netdevice(7)): 0 name, 16 short flags.
const TUNSETIFF = 0x400454ca;
const IFREQ_BYTES = 40;
const IFREQ_FLAGS = 16;
const IFF_TAP = 0x0002;
const IFF_NO_PI = 0x1000;
/** The device is gone with its host; Node has no name for it. */
const EBADFD = 77;

const LOSSES: ReadonlySet<number> = new Set([ERRNO.EAGAIN, ERRNO.EIO, EBADFD]);

/** More than any frame at the devices' MTU. */
const FRAME_MAX_BYTES = 2048;
/** So many frames of one host in a row, then it is the turn of others. */
const BURST_MAX = 64;
const FOREVER = -1;

function createDevice(name: string): number {
  const fd = openSync(TUN_DEVICE, 'r+');
  const request = new Uint8Array(IFREQ_BYTES);
  new TextEncoder().encodeInto(name, request);
  new DataView(request.buffer).setUint16(IFREQ_FLAGS, IFF_TAP | IFF_NO_PI, true);
  ioctl(fd, TUNSETIFF, request);
  setNonBlocking(fd);
  return fd;
}

function deliver(fd: number, frame: Uint8Array): void {
  const written = writeDescriptor(fd, frame, frame.length);
  // Full, or the host's interface is down, or gone: lost, as on any network.
  if (written < 0 && !LOSSES.has(-written)) {
    throw new Error(`Cannot write to a TAP device: error ${-written}`);
  }
}

function serve(network: EthernetSwitch, devices: readonly number[], endFd: number): void {
  const poller = new Poller([...devices, endFd]);
  const buffer = new Uint8Array(FRAME_MAX_BYTES);
  for (;;) {
    const dueMs = network.step(performance.now());
    const waitMs =
      dueMs === undefined ? FOREVER : Math.max(0, Math.ceil(dueMs - performance.now()));
    if (!poller.wait(waitMs)) continue;
    if (poller.isReady(devices.length)) return;
    for (const [host, fd] of devices.entries()) {
      if (!poller.isReady(host)) continue;
      for (let burst = 0; burst < BURST_MAX; burst += 1) {
        const length = readDescriptor(fd, buffer);
        if (length <= 0) break;
        network.receive(host, buffer.subarray(0, length), performance.now());
      }
    }
  }
}

const { deviceNames, conditions, seed, endFd } = workerData as SwitchWorkerData;
const devices = deviceNames.map(createDevice);
const network = new EthernetSwitch({
  hostCount: devices.length,
  conditions: new LinkConditions(conditions),
  random: new SeededRandom(seed),
  deliver: (to, frame) => deliver(devices[to]!, frame),
});
parentPort!.postMessage('ready');
serve(network, devices, endFd);
for (const fd of devices) closeSync(fd);
