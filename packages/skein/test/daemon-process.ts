// A node as a process of its own, for tests: `skein mount` without what its command line adds.
//
// The only argument is the configuration as JSON. Prints "ready" when clients can use the mount,
// and ends as runMount() says, or with what it throws.

import { runMount, type RunMountOptions } from '../src/daemon/run-mount.ts';
import type { MountConfig } from '../src/config/mount-config.ts';

const config = JSON.parse(process.argv[2]!) as MountConfig;
const options: RunMountOptions = { ready: () => process.stdout.write('ready\n') };

try {
  process.exitCode = await runMount(config, options);
} catch (error) {
  const { code, message, stack } = error as Error & { readonly code?: string };
  process.stderr.write(`${code ?? 'bug'}: ${code === undefined ? stack : message}\n`);
  process.exitCode = 1;
}
