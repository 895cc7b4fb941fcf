// What of this machine stands for images that are pulled: programs that the test needs installed.

import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

import type { ImageStep } from './image.ts';

export interface MachineImage {
  /** Of the image's name with its tag. */
  readonly pattern: RegExp;
  readonly environment?: ReadonlyMap<string, string>;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly stopSignal?: string;
  readonly steps?: readonly ImageStep[];
  readonly debianPackages?: readonly string[];
  /** Folders that all containers of a project share, for what only saves time. */
  readonly caches?: readonly string[];
}

const COMPILE_CACHE = '/var/cache/node-compile';

export type MachineImages = readonly MachineImage[];

/** Those of the examples. The first that matches stands for an image. */
export function usualImages(): MachineImages {
  return [
    {
      pattern: /^node:24-bookworm(?:-slim)?$/,
      command: ['node'],
      steps: nodeSteps(),
      // Half of what a node takes to start is compiling.
      environment: new Map([['NODE_COMPILE_CACHE', COMPILE_CACHE]]),
      caches: [COMPILE_CACHE],
    },
    { pattern: /^debian:bookworm(?:-slim)?$/, command: ['bash'] },
    {
      pattern: /^nginx:\d+\.\d+/,
      command: ['nginx', '-g', 'daemon off;'],
      stopSignal: 'SIGQUIT',
      debianPackages: ['nginx-light'],
    },
    {
      pattern: /^haproxy:\d+\.\d+/,
      command: ['haproxy', '-W', '-db', '-f', '/usr/local/etc/haproxy/haproxy.cfg'],
      stopSignal: 'SIGUSR1',
      debianPackages: ['haproxy'],
    },
  ];
}

/** The Node that runs us, and npm, where the image has them. */
function nodeSteps(): readonly ImageStep[] {
  const node: ImageStep = {
    kind: 'show',
    source: realpathSync(process.execPath),
    target: '/usr/local/bin/node',
  };
  const npm = npmFolder();
  if (npm === undefined) return [node];
  const target = '/usr/local/lib/node_modules/npm';
  const link = ['ln', '-sf', `${target}/bin/npm-cli.js`, '/usr/local/bin/npm'];
  return [
    node,
    { kind: 'show', source: npm, target },
    { kind: 'run', command: link, workdir: '/', environment: { PATH: '/bin' } },
  ];
}

function npmFolder(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const npm = folders.map((folder) => join(folder, 'npm')).find((path) => existsSync(path));
  return npm === undefined ? undefined : dirname(dirname(realpathSync(npm)));
}
