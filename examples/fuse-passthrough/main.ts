// Mirrors a folder: node --conditions=@skein/source examples/fuse-passthrough/main.ts SOURCE MOUNTPOINT
//
// This thread mounts and unmounts; a worker serves. Ctrl-C ends it. SKEIN_TRACE=fuse shows what the
// kernel asks.

import { closeSync } from 'node:fs';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { mountFuse, unmountFuse } from '@skein/fuse';
import { createEventfd } from '@skein/host';

const [source, mountpoint] = process.argv.slice(2);
if (source === undefined || mountpoint === undefined) {
  console.error('Usage: main.ts SOURCE MOUNTPOINT');
  process.exit(2);
}

// Modes come from the kernel, after the umask of who asked.
process.umask(0);
const mount = mountFuse({
  mountpoint,
  source: 'mirror',
  subtype: 'mirror',
  defaultPermissions: true,
  allowOther: process.geteuid?.() === 0,
  readaheadBytes: 1 << 20,
});
const wakeFd = createEventfd();
const worker = new Worker(new URL('serve.ts', import.meta.url), {
  workerData: { fd: mount.fd, wakeFd, source },
});
console.log(`mirrors ${source} on ${mount.mountpoint}`);

const stop = (): void => {
  unmountFuse(mount).then(
    (way) => console.log(`unmounted: ${way}`),
    (error: unknown) => console.error(error),
  );
};
process.once('SIGINT', stop);
process.once('SIGTERM', stop);

// The loop ends when the mount is gone, whoever took it down.
const [exitCode] = (await once(worker, 'exit')) as [number];
closeSync(mount.fd);
closeSync(wakeFd);
process.exitCode = exitCode;
