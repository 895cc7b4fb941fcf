// `npm start`: mounts a demo folder, makes a small database in it, says what to try, and serves
// until Ctrl-C. The mount goes away at the end; the data stays in .demo/ for the next time.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { type Daemon, interruptSignal, startDaemon } from '@skein/testkit';

import { findObstacle, hasProgram } from './start/obstacles.ts';

const DATABASE = 'notes.db';
const root = dirname(import.meta.dirname);
const home = join(root, '.demo');
const mountpoint = join(home, 'mount');

/** As it is typed from where npm was called. */
function shown(path: string): string {
  return relative(process.env['INIT_CWD'] ?? process.cwd(), path);
}

/** Writes and reads through the mount, in a process of its own as any application would. */
function runClient(): void {
  const script = join(import.meta.dirname, 'start', 'demo-client.ts');
  const flags = ['--disable-warning=ExperimentalWarning'];
  const args = [...flags, script, join(mountpoint, DATABASE)];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) throw new Error('The demo client could not use the mount');
}

function suggestions(): string[] {
  const database = shown(join(mountpoint, DATABASE));
  const insert = "INSERT INTO note (body) VALUES ('Written by hand')";
  const query = 'SELECT * FROM note';
  const python = `import sqlite3; print(*sqlite3.connect('${database}').execute('${query}'))`;
  return [
    ...(hasProgram('sqlite3') ? [`sqlite3 ${database} "${insert}"`] : []),
    ...(hasProgram('python3') ? [`python3 -c "${python}"`] : []),
    `cat ${database}-pos`,
    `npm run skein -- status --data ${shown(join(home, 'data'))}`,
    `cp ANY.db ${shown(mountpoint)}/`,
  ];
}

async function serve(daemon: Daemon, signal: AbortSignal): Promise<void> {
  console.log(`\nServing ${shown(mountpoint)}. An application has written there:\n`);
  runClient();
  console.log(
    `\nTry, in another terminal:\n\n${suggestions()
      .map((line) => `  ${line}`)
      .join('\n')}`,
  );
  console.log('\nCtrl-C ends it.');
  const interrupted = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve());
  });
  await Promise.race([interrupted, daemon.ended]);
}

async function main(): Promise<void> {
  const obstacle = findObstacle();
  if (obstacle !== undefined) {
    console.error(obstacle);
    process.exitCode = 1;
    return;
  }
  const signal = interruptSignal();
  mkdirSync(home, { recursive: true });
  const daemon = await startDaemon({
    mountpoint,
    dataFolder: join(home, 'data'),
    logPath: join(home, 'daemon.log'),
  });
  try {
    await serve(daemon, signal);
  } finally {
    await daemon.stop();
    if (existsSync(mountpoint)) rmdirSync(mountpoint);
  }
  console.log(
    `\nUnmounted. The data stays in ${shown(join(home, 'data'))}: npm start goes on with it.`,
  );
}

try {
  await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
