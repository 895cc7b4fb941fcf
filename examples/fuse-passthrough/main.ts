// Mirrors a folder: node --conditions=@skein/source main.ts SOURCE MOUNTPOINT
//
// This thread mounts and unmounts; a worker serves. Ctrl-C ends it. SKEIN_TRACE=fuse shows what the
// kernel asks.

import { closeSync } from 'node:fs';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import {
  type FuseMount,
  FuseMountError,
  mountFuse,
  type MountOptions,
  unmountFuse,
} from '@skein/fuse';
import { createEventfd, signalEventfd } from '@skein/host';

const [source, mountpoint] = process.argv.slice(2);
if (source === undefined || mountpoint === undefined) {
  console.error('Usage: main.ts SOURCE MOUNTPOINT');
  process.exit(2);
}

function mountOrExit(options: MountOptions): FuseMount {
  try {
    return mountFuse(options);
  } catch (error) {
    if (!(error instanceof FuseMountError)) throw error;
    console.error(error.message);
    if (error.hint !== undefined) console.error(error.hint);
    return process.exit(1);
  }
}

// Modes come from the kernel, after the umask of who asked.
process.umask(0);
const mount = mountOrExit({
  mountpoint,
  source: 'mirror',
  subtype: 'mirror',
  defaultPermissions: true,
  allowOther: process.geteuid?.() === 0,
});
const wakeFd = createEventfd();
const worker = new Worker(new URL('serve.ts', import.meta.url), {
  workerData: { fd: mount.fd, deviceMinor: mount.deviceMinor, wakeFd, source },
});
if (mount.staleMountsDetached > 0) {
  console.log(`detached ${mount.staleMountsDetached} mounts whose daemon had died`);
}
console.log(`mirrors ${source} on ${mount.mountpoint}`);

let stopping: Promise<void> | undefined;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    stopping ??= stop();
  });
}

// The loop ends when the mount is gone, whoever took it down.
const [exitCode] = (await once(worker, 'exit')) as [number];
await stopping;
closeSync(mount.fd);
closeSync(wakeFd);
process.exitCode = exitCode;

async function stop(): Promise<void> {
  try {
    console.log(`unmounted: ${await unmountFuse(mount)}`);
  } catch (error) {
    console.error(error);
  }
  // A mount that could only be detached would be served until its last client is gone.
  signalEventfd(wakeFd);
}
