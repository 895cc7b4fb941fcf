#!/usr/bin/env node
// The program of the lake: `skein lake …` starts it, as a process of its own.

import { once } from 'node:events';

import { run } from './cli/program.ts';
import { confineLake } from './confine-lake.ts';
import { isConfined } from './confine.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  process.exitCode = 1;
  // Whoever read has seen enough (`skein lake query … | head -1`): no matter for a message.
  if (code === 'EPIPE') return;
  process.stderr.write(`skein lake: Cannot write the output: ${code ?? message}\n`);
});
// There is nobody left to tell; a server goes on.
process.stderr.on('error', () => {});

const exitCode = await run(process.argv.slice(2), {
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
process.exitCode ||= exitCode;
