// The worker: serves the mount until it is gone, or until the eventfd says that it is enough.

import { workerData } from 'node:worker_threads';

import { DeviceLoop, maybeFuseTrace } from '@skein/fuse';

import { Mirror } from './mirror.ts';

const { fd, wakeFd, source } = workerData as { fd: number; wakeFd: number; source: string };

const loop = new DeviceLoop({
  fd,
  wakeFd,
  handler: new Mirror(source),
  trace: maybeFuseTrace(process.env),
  wake: () => loop.stop(),
  handlerError: (error, request) => console.error(request, error),
});
loop.run();
