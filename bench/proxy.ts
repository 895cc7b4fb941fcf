// What does the proxy cost, and what would nginx cost?
//
// An app that reads 50 rows of a database for each request is asked directly, through the proxy and
// through nginx, in turns: 32 connections for requests a second, one for the time of a request. All
// of them share this machine with the client. `/health`, which does nothing, shows what is left
// when there is no app to speak of; it has no target, since nobody puts a proxy before nothing. Run
// by `npm run bench -- proxy`.

import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { formatRows } from '@skein/testkit';

import { parseBenchArguments } from './lib/arguments.ts';
import { type LoadResult, loadHttp } from './lib/http-load.ts';
import { median } from './lib/measure.ts';
import { formatNumber, report } from './lib/report.ts';

const SIDES = ['direct', 'proxy', 'nginx'] as const;
type SideName = (typeof SIDES)[number];
type Ports = ReadonlyMap<SideName, number>;

interface Workload {
  readonly name: string;
  readonly path: string;
  readonly connections: number;
  readonly value: (result: LoadResult) => number;
  readonly unit: string;
  /** What is compared with the target: a ratio to direct, or what is added to it. */
  readonly compare: (side: number, direct: number) => number;
  readonly target?: { readonly text: string; readonly isMet: (value: number) => boolean };
}

const DURATION_MS = 1500;
const RATE_TARGET = 0.6;
const ADDED_TARGET_MS = 0.5;

const ratio = (side: number, direct: number): number => side / direct;
const added = (side: number, direct: number): number => side - direct;
const rate = {
  connections: 32,
  unit: '/s',
  value: ({ perSecond }: LoadResult) => perSecond,
  compare: ratio,
};
const latency = {
  connections: 1,
  unit: 'ms',
  value: ({ p50Ms }: LoadResult) => p50Ms,
  compare: added,
};

const WORKLOADS: readonly Workload[] = [
  {
    ...rate,
    name: 'Reads a second (÷ direct)',
    path: '/messages',
    target: { text: `≥ ${RATE_TARGET}`, isMet: (value) => value >= RATE_TARGET },
  },
  {
    ...latency,
    name: 'Time of a read, p50 (− direct)',
    path: '/messages',
    target: { text: `≤ ${ADDED_TARGET_MS}`, isMet: (value) => value <= ADDED_TARGET_MS },
  },
  { ...rate, name: '/health a second (÷ direct)', path: '/health' },
  { ...latency, name: 'Time of /health, p50 (− direct)', path: '/health' },
];

interface Running {
  readonly port: number;
  readonly child: ChildProcess;
}

async function startChild(script: string, argument: string): Promise<Running> {
  // Without the flags of this process: packages are what users run, not their sources.
  const child = fork(join(import.meta.dirname, 'lib', script), [argument], { execArgv: [] });
  const [port] = (await Promise.race([once(child, 'message'), failOnExit(child, script)])) as [
    number,
  ];
  return { port, child };
}

async function failOnExit(child: ChildProcess, name: string): Promise<never> {
  await once(child, 'exit');
  throw new Error(`${name} has ended`);
}

/** Undefined where there is no nginx. */
async function maybeStartNginx(folder: string, appPort: number): Promise<Running | undefined> {
  if (spawnSync('nginx', ['-v'], { stdio: 'ignore' }).status !== 0) return undefined;
  // One process, as the proxy is one. The port is the app's, in another part of the range.
  const port = appPort > 40_000 ? appPort - 20_000 : appPort + 20_000;
  const path = join(folder, 'nginx.conf');
  writeFileSync(path, nginxConfig(folder, port, appPort));
  const child = spawn('nginx', ['-p', folder, '-e', join(folder, 'nginx.log'), '-c', path]);
  await untilListening(port, child);
  return { port, child };
}

function nginxConfig(folder: string, port: number, appPort: number): string {
  const headers = ['Host $host', 'X-Forwarded-For $proxy_add_x_forwarded_for', 'Connection ""'];
  return `worker_processes 1; daemon off; pid ${join(folder, 'nginx.pid')};
    events { worker_connections 1024; }
    http {
      access_log off;
      keepalive_requests 1000000000;
      upstream app { server 127.0.0.1:${appPort}; keepalive 64; keepalive_requests 1000000000; }
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass http://app;
          proxy_http_version 1.1;
          ${headers.map((header) => `proxy_set_header ${header};`).join(' ')}
        }
      }
    }`;
}

async function untilListening(port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error('nginx has ended');
    const socket = connect(port, '127.0.0.1');
    const isOpen = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'close').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (isOpen) return;
    await sleep(50);
  }
}

type Values = Record<SideName, number[]>;

/** In turns, one round more than told: the first only warms up. */
async function measureAll(ports: Ports, rounds: number): Promise<Values[]> {
  const values = WORKLOADS.map((): Values => ({ direct: [], proxy: [], nginx: [] }));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [i, { path, connections, value }] of WORKLOADS.entries()) {
      for (const [side, port] of ports) {
        const result = await loadHttp({ port, path, connections, durationMs: DURATION_MS });
        if (round > 0) values[i]![side].push(value(result));
      }
    }
  }
  return values;
}

function formatRow({ name, unit, compare, target }: Workload, values: Values): string[] {
  const direct = median(values.direct);
  const compared = (side: SideName): number =>
    median(values[side].map((each, round) => compare(each, values.direct[round]!)));
  const cells = (side: SideName): string[] =>
    values[side].length === 0
      ? ['none', '']
      : [`${formatNumber(median(values[side]))} ${unit}`, compared(side).toFixed(2)];
  const verdict = target === undefined ? '' : target.isMet(compared('proxy')) ? 'met' : 'MISSED';
  const shown = `${formatNumber(direct)} ${unit}`;
  return [name, shown, ...cells('proxy'), ...cells('nginx'), target?.text ?? '', verdict];
}

const args = parseBenchArguments(process.argv.slice(2), 5);
const root = dirname(import.meta.dirname);
const tsc = join(root, 'node_modules', '.bin', 'tsc');
if (spawnSync(tsc, ['-b', 'packages/proxy'], { cwd: root, stdio: 'inherit' }).status !== 0) {
  throw new Error('Cannot measure what cannot be built');
}
const folder = mkdtempSync(join(tmpdir(), 'skein-bench-'));
const children: ChildProcess[] = [];
try {
  const app = await startChild('proxy-app.ts', join(folder, 'app.db'));
  children.push(app.child);
  const proxy = await startChild('proxy-process.ts', String(app.port));
  children.push(proxy.child);
  const nginx = await maybeStartNginx(folder, app.port);
  const ports = new Map<SideName, number>([
    ['direct', app.port],
    ['proxy', proxy.port],
  ]);
  if (nginx !== undefined) {
    children.push(nginx.child);
    ports.set('nginx', nginx.port);
  }
  const values = await measureAll(ports, args.rounds);
  const rows = WORKLOADS.map((workload, i) => formatRow(workload, values[i]!));
  const table = formatRows([['', 'direct', 'proxy', '', 'nginx', '', 'target', ''], ...rows]);
  const missing =
    nginx === undefined ? '\nThere is no nginx here: apt-get install nginx-light\n' : '';
  const results = WORKLOADS.map(({ name, unit }, i) => ({ name, unit, ...values[i]! }));
  report({ bench: 'proxy', text: `${table}${missing}`, results }, args);
} finally {
  for (const child of children) {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
}
