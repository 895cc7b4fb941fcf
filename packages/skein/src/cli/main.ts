#!/usr/bin/env node
// The program `skein`: the only place where the process ends by our decision.

import { interruptible } from './interrupts.ts';
import { run } from './program.ts';

const EXIT_CODE_BROKEN_PIPE = 1;

for (const stream of [process.stdout, process.stderr]) {
  // Whoever read has seen enough (`skein status | head -1`): no matter for a message.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT_CODE_BROKEN_PIPE);
    throw error;
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
process.exit(exitCode);
