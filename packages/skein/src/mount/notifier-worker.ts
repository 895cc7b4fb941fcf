// A thread that notifies the kernel: the one that serves the mount must not, for the two would wait
// for each other (THE RULE in the notifier of @skein/fuse).

import { maybeFuseTrace, Notifier } from '@skein/fuse';
import { helperThreadData, signalEventfd } from '@skein/host';

import type { Notification, Notified, NotifierData } from './notifier-messages.ts';

const { deviceFd, wakeFd, port } = helperThreadData() as NotifierData;
const notifier = new Notifier(deviceFd, maybeFuseTrace(process.env));

port.on('message', (notification: Notification) => {
  const notified: Notified = { id: notification.id, failure: tryNotify(notification) };
  port.postMessage(notified);
  signalEventfd(wakeFd);
});

/** Whoever asked for it may be keeping a client waiting: there is always an answer. */
function tryNotify(notification: Notification): string | undefined {
  try {
    notify(notification);
    return undefined;
  } catch (error) {
    return String(error);
  }
}

function notify(notification: Notification): void {
  switch (notification.kind) {
    case 'content':
      notifier.invalInode(notification.nodeid);
      return;
    case 'ranges':
      notifier.invalAttributes(notification.nodeid);
      for (const range of notification.ranges) notifier.invalInode(notification.nodeid, range);
      return;
    case 'store':
      for (const { offset, bytes } of notification.pieces) {
        notifier.store(notification.nodeid, offset, bytes);
      }
  }
}
