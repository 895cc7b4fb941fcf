// Entry of a worker: a process that executes SQL, and nothing else. It is a process and not a
// thread, since a statement of SQLite can be ended in no other way than with its process.
//
// It ends when the server does: the socket between them closes.

import { Socket } from 'node:net';

import {
  CLOSE,
  DONE,
  FORWARD,
  FrameReader,
  type FrameHead,
  MAY_CREATE,
  OPEN,
  PARKED,
  READ_ONLY,
  READY,
  REFUSED,
  RENEW,
  RELEASED,
  RUN,
  STREAM_OPEN,
  TELL_READS,
  WAKE,
  WITH_POSITION,
  writeFrame,
} from '../frames.ts';
import { WORKER_FD, type WorkerSettings } from '../worker-settings.ts';
import { type Result, Workbench } from './workbench.ts';

const { folder, ...limits } = JSON.parse(process.argv[2]!) as WorkerSettings;
const socket = new Socket({ fd: WORKER_FD, readable: true, writable: true });
const workbench = new Workbench(limits);

function take({ kind, stream, request, flags }: FrameHead, body: Buffer): void {
  switch (kind) {
    case OPEN: {
      const path = `${folder}/${body.toString()}`;
      const [isReadonly, mayCreate] = [(flags & READ_ONLY) !== 0, (flags & MAY_CREATE) !== 0];
      const tellsReads = (flags & TELL_READS) !== 0;
      workbench.open(stream, { path, isReadonly, mayCreate, tellsReads });
      return;
    }
    case RUN: {
      const answer = (result: Result): void => send(request, stream, result);
      const state = workbench.run(stream, body.toString(), answer);
      if (state === 'parked') writeFrame(socket, { request, stream, kind: PARKED, flags: 0 });
      return;
    }
    case CLOSE:
      workbench.close(stream);
      return;
    case WAKE:
      workbench.wake(stream);
      return;
    case RENEW:
      workbench.renew();
  }
}

function send(request: number, stream: number, result: Result): void {
  switch (result.kind) {
    case 'done': {
      const { position = '', isOpen, hasReleased, results } = result;
      const isTold = position === '' ? 0 : WITH_POSITION;
      const flags = isTold | (isOpen ? STREAM_OPEN : 0) | (hasReleased ? RELEASED : 0);
      const body = Buffer.from(position + results);
      writeFrame(socket, { request, stream, kind: DONE, flags }, body);
      return;
    }
    case 'forward':
      writeFrame(socket, { request, stream, kind: FORWARD, flags: 0 }, Buffer.from(result.before));
      return;
    case 'refused':
      writeFrame(socket, { request, stream, kind: REFUSED, flags: 0 }, Buffer.from(result.error));
  }
}

const reader = new FrameReader(take);
socket.on('data', (chunk: Buffer) => reader.push(chunk));
socket.on('error', () => socket.destroy());
// Nothing else keeps the process.
socket.on('close', () => workbench.end());
writeFrame(socket, { request: 0, stream: 0, kind: READY, flags: 0 });
