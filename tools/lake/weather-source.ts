// Where the weather comes from: the Cambridge Computer Laboratory, or where that cannot be reached
// a file of the same shape from this machine (examples/lake/weather.ts).

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Weather {
  readonly url: string;
  readonly isLocal: boolean;
  stop(): void;
}

const PUBLIC_URL = 'https://www.cl.cam.ac.uk/research/dtg/weather/weather-raw.csv';
const PROBE_MS = 3000;
const SCRIPT = join(dirname(dirname(import.meta.dirname)), 'examples', 'lake', 'weather.ts');

export async function startWeather(isOffline: boolean): Promise<Weather> {
  if (!isOffline && (await isReachable())) {
    return { url: PUBLIC_URL, isLocal: false, stop: () => undefined };
  }
  const child = spawn(process.execPath, [SCRIPT, '--port', '0'], {
    // Ctrl-C in a terminal is ours, and we stop it in order.
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return { url: await firstLine(child), isLocal: true, stop: () => void child.kill() };
}

async function isReachable(): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(PROBE_MS);
    return (await fetch(PUBLIC_URL, { method: 'HEAD', signal })).ok;
  } catch {
    return false;
  }
}

/** Where it serves, which it prints. */
async function firstLine(child: ChildProcess): Promise<string> {
  const lines = createInterface({ input: child.stdout! });
  const [line] = (await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(() => [undefined]),
  ])) as [string | undefined];
  if (line === undefined) throw new Error('The weather of this machine ended at its start');
  return line;
}
