#!/usr/bin/env node
// The program of the lake: `skein lake …` starts it, as a process of its own.

import { once } from 'node:events';

import { run } from './cli/program.ts';
import { confineLake } from './confine-lake.ts';
import { isConfined } from './confine.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

for (const stream of [process.stdout, process.stderr]) {
  // Whoever read has seen enough: no matter for a message.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

process.exitCode = await run(process.argv.slice(2), {
  cwd: process.cwd(),
  environment: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  confine: isConfined(process.env) ? undefined : confineLake,
  stopped: async () => {
    await Promise.race(SIGNALS.map((signal) => once(process, signal)));
  },
});
