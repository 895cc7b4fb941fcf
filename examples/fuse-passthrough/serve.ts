// The worker: serves the mount until it is gone, or until the eventfd says that it is enough.

import { workerData } from 'node:worker_threads';

import { DeviceLoop, maybeFuseTrace, trySetReadahead } from '@skein/fuse';

import { Mirror } from './mirror.ts';

const { fd, deviceMinor, wakeFd, source } = workerData as {
  readonly fd: number;
  readonly deviceMinor: number;
  readonly wakeFd: number;
  readonly source: string;
};

/** Big files are then read in requests of this size, where we are root. */
const READAHEAD_BYTES = 1 << 20;

const loop = new DeviceLoop({
  fd,
  wakeFd,
  handler: new Mirror(source),
  trace: maybeFuseTrace(process.env),
  negotiated: () => trySetReadahead(deviceMinor, READAHEAD_BYTES),
  wake: () => loop.stop(),
  handlerError: (error, request) => console.error(request, error),
});
loop.run();
