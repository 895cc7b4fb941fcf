// `npm run lake`: a lake on this machine. A writer and readers, each a Skein node with its mount
// and a lake on it, and an ingress before them. Says what to try and serves until Ctrl-C. The
// mounts go away at the end; the data stays in .lake/ for the next time.
//
// npm run lake -- --readers 3 --port 8080 --fresh --folder .lake --offline

import { existsSync, mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { createNodeLog } from '@skein/host';
import { provideExtensions } from '@skein/lake';
import { buildConsole, formatRows, interruptSignal, LakeCluster, runProgram } from '@skein/testkit';

import { formatLakeSuggestions } from './lake/guide.ts';
import { LAKE_HELP, type LakeOptions, parseLakeOptions } from './lake/options.ts';
import { startWeather, type Weather } from './lake/weather-source.ts';
import { findObstacle } from './start/obstacles.ts';
import { maybeTellRunning } from './start/running-node.ts';
import { findTakenPort } from './start/taken-port.ts';

const root = dirname(import.meta.dirname);
/** Longer than a reader takes for a transaction, also on a busy machine. */
const HOLD = '5s';

async function createCluster(options: LakeOptions, weather: Weather): Promise<LakeCluster> {
  const { folder, readerCount, port } = options;
  mkdirSync(folder, { recursive: true });
  const { ducklake } = await provideExtensions({
    cacheFolder: join(root, '.tools', 'duckdb-extensions'),
    needsHttpfs: false,
    log: createNodeLog(),
  });
  return LakeCluster.create({
    folder,
    readerCount,
    ingressPort: port,
    extensionsFolder: dirname(ducklake),
    hold: HOLD,
    config: {
      http: { page: await buildConsole() },
      // The file comes from this machine where there is no network; only then may one be asked.
      external: { private: String(weather.isLocal) },
    },
  });
}

function describe(lake: LakeCluster): string {
  const rows = lake.names.map((name) => {
    const role = name === 'writer' ? 'writer' : 'reader';
    return [name, role, lake.urlOf(name), lake.cluster.node(name).mountpoint];
  });
  return formatRows([['node', 'role', 'its own lake', 'mount'], ...rows], [0, 1, 2, 3]);
}

async function serve(lake: LakeCluster, weather: Weather, signal: AbortSignal): Promise<void> {
  const { url } = lake;
  const shownUrl = url.replace('127.0.0.1', 'localhost');
  console.log(`\n${describe(lake)}`);
  console.log(`The lake answers at ${shownUrl}, its page too.\n`);
  console.log(`Try, in another terminal:\n\n${formatLakeSuggestions(shownUrl, weather.url)}\n`);
  console.log('Ctrl-C ends it.');
  const aborted = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const ended = lake.names.map(async (name) => {
    await lake.lake(name).ended;
    if (!signal.aborted) throw new Error(`The lake of ${name} has ended:\n${lake.lastWords}`);
  });
  await Promise.race([aborted, ...ended]);
}

async function main(options: LakeOptions): Promise<void> {
  const signal = interruptSignal();
  if (options.isFresh) rmSync(options.folder, { recursive: true, force: true });
  const weather = await startWeather(options.isOffline);
  let lake: LakeCluster | undefined;
  try {
    console.log(`Starting a writer and ${options.readerCount} readers …`);
    lake = await createCluster(options, weather);
    await lake.start();
    await serve(lake, weather, signal);
  } finally {
    console.log('\nStopping …');
    await lake?.stop();
    weather.stop();
    for (const { mountpoint } of lake?.cluster.nodes ?? []) {
      if (existsSync(mountpoint)) rmdirSync(mountpoint);
    }
  }
  console.log('Unmounted. The data stays: npm run lake goes on with it.');
}

async function findTaken(port: number): Promise<string | undefined> {
  const taken = await findTakenPort([port]);
  if (taken === undefined) return undefined;
  return `Port ${taken} is in use: npm run lake -- --port ${taken + 1000} takes another`;
}

await runProgram(LAKE_HELP, async () => {
  const options = parseLakeOptions(process.argv.slice(2), root);
  const { folder, port } = options;
  const obstacle = findObstacle() ?? maybeTellRunning(folder) ?? (await findTaken(port));
  if (obstacle === undefined) return main(options);
  console.error(obstacle);
  process.exitCode = 1;
});
