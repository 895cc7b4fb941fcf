// Entry of the worker thread that serves the mount.

import { once } from 'node:events';
import { workerData } from 'node:worker_threads';

import { MountThread } from './mount-thread.ts';
import {
  type FromMountThread,
  type MountThreadData,
  toErrorData,
  type ToMountThread,
} from './thread-messages.ts';

const data = workerData as MountThreadData;
const { port } = data;

function send(message: FromMountThread): void {
  port.postMessage(message);
}

try {
  const thread = new MountThread(data);
  const [message] = (await once(port, 'message')) as [ToMountThread];
  if (message.kind === 'serve') {
    thread.serve(message.deviceFd, message.deviceMinor, message.folderOwner);
  }
  thread.close();
  send({ kind: 'ended' });
} catch (error) {
  send({ kind: 'failed', error: toErrorData(error) });
}
port.close();
