export { type RunMountOptions, runMount } from './daemon/run-mount.ts';
export { SKEIN_VERSION } from './version.ts';
