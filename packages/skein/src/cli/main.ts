#!/usr/bin/env node
// The program `skein`: the only place where the process ends by our decision.

import { setImmediate } from 'node:timers/promises';

import { interruptible } from './interrupts.ts';
import { run } from './program.ts';

const EXIT_CODE_NOT_WRITTEN = 1;

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    // Whoever read has seen enough (`skein status | head -1`): no matter for a message.
    const isMessage = code !== 'EPIPE' && stream === process.stdout;
    if (isMessage) process.stderr.write(`skein: Cannot write the output: ${code ?? message}\n`);
    process.exit(EXIT_CODE_NOT_WRITTEN);
  });
}

const exitCode = await run(process.argv.slice(2), {
  cwd: process.cwd(),
  environment: process.env,
  isRoot: process.geteuid?.() === 0,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  interrupts: interruptible((code) => process.exit(code)),
});
// What could not be written is told in the next turn, and ends the process then.
await setImmediate();
process.exit(exitCode);
