// A node of the real LiteFS, as another program: `litefs mount` with a static lease. Its path is in
// SKEIN_TEST_LITEFS; there is none to be installed from a package.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { onTestEnd, requirePart, waitUntil } from '@skein/testkit';

export interface LitefsNodeOptions {
  readonly folder: string;
  readonly port: number;
  /** It leads, by this name; undefined: it follows the one at `primaryUrl`. */
  readonly hostname?: string;
  readonly primaryUrl?: string;
}

export interface LitefsNode {
  readonly mountpoint: string;
  /** Where a database stands: `<TXID>/<checksum>`; undefined: it is not there. */
  position(name: string): string | undefined;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 20_000;

/** Path of the program; undefined, and the test is skipped, when none is given. */
export function requireLitefs(t: TestContext): string | undefined {
  const program = process.env['SKEIN_TEST_LITEFS'];
  if (program === undefined) {
    // Not an error in CI either: the program is not among what a machine can be given there.
    t.skip('SKEIN_TEST_LITEFS does not name a LiteFS program');
    return undefined;
  }
  return requirePart(t, 'fusermount3') ? program : undefined;
}

export async function startLitefs(
  t: TestContext,
  program: string,
  options: LitefsNodeOptions,
): Promise<LitefsNode> {
  const { folder, port, hostname, primaryUrl } = options;
  const mountpoint = join(folder, 'mount');
  mkdirSync(mountpoint, { recursive: true });
  const own = `http://127.0.0.1:${port}`;
  const lease = {
    type: 'static',
    candidate: hostname !== undefined,
    hostname: hostname ?? 'primary',
    'advertise-url': primaryUrl ?? own,
  };
  const configPath = join(folder, 'litefs.yml');
  const config = {
    fuse: { dir: mountpoint },
    data: { dir: join(folder, 'data') },
    http: { addr: `127.0.0.1:${port}` },
    lease,
  };
  // JSON is YAML.
  writeFileSync(configPath, JSON.stringify(config, undefined, 2));
  const logPath = join(folder, 'litefs.log');
  const log = openSync(logPath, 'a');
  const child = spawn(program, ['mount', '-config', configPath], { stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  onTestEnd(t, stop);
  const isServing = (): boolean => {
    if (child.exitCode !== null) throw new Error(readFileSync(logPath, 'utf8'));
    return readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${mountpoint} `);
  };
  await waitUntil('LiteFS is mounted', isServing, START_TIMEOUT_MS);
  return {
    mountpoint,
    position(name) {
      const path = join(mountpoint, `${name}-pos`);
      return existsSync(path) ? readFileSync(path, 'latin1').trimEnd() : undefined;
    },
    stop,
  };
}
