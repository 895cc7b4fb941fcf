// A real S3 server for tests: Ceph's RADOS gateway, which checks signatures, with one monitor and
// one store in memory under it. Its data is gone with it.
//
// https://docs.ceph.com/en/pacific/install/manual-deployment/ without authentication between its
// own parts; what S3 clients send is authenticated.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, openSync, closeSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { freePorts } from '../cluster/free-port.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { tempDir } from '../temp-dir.ts';
import { onTestEnd, type TestScope } from '../test-cleanup.ts';

export type StoreMethod = 'PUT' | 'GET' | 'HEAD' | 'DELETE';

export interface ObjectStore {
  /** `http://127.0.0.1:port` */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Signed otherwise than the product does it. Rejects for a status of 400 and more. */
  send(method: StoreMethod, path: string, body?: Buffer<ArrayBuffer>): Promise<Buffer>;
}

/** Ten seconds on an idle machine. */
const START_TIMEOUT_MS = 180_000;
const REGION = 'us-east-1';
const ACCESS_KEY = 'TESTACCESSKEY0000001';
const SECRET_KEY = 'a-secret-key-of-tests/with+signs=';
/** In the year 2100. */
const EXPIRES_S = 4_102_444_800;

const run = promisify(execFile);

/** Starts in some ten seconds: share one among the tests of a file. */
export async function startObjectStore(t: TestScope): Promise<ObjectStore> {
  const [monitorPort, s3Port] = await freePorts(2);
  const ports = { monitorPort: monitorPort!, s3Port: s3Port! };
  const ceph = new Ceph(tempDir(t), { ...ports, accessKey: ACCESS_KEY, secretKey: SECRET_KEY });
  onTestEnd(t, () => ceph.stop());
  await ceph.start();
  return ceph.store();
}

export interface CephOptions {
  readonly monitorPort: number;
  readonly s3Port: number;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Takes requests from everywhere, not from this machine alone. */
  readonly isOpen?: boolean;
}

export class Ceph {
  readonly #folder: string;
  readonly #config: string;
  readonly #options: CephOptions;
  readonly #fsid = randomUUID();
  readonly #children: ChildProcess[] = [];

  constructor(folder: string, options: CephOptions) {
    this.#folder = folder;
    this.#config = join(folder, 'ceph.conf');
    this.#options = options;
  }

  async start(): Promise<void> {
    mkdirSync(join(this.#folder, 'osd'));
    writeFileSync(this.#config, this.#settings());
    const map = join(this.#folder, 'monmap');
    const address = `[v2:127.0.0.1:${this.#options.monitorPort}]`;
    await run('monmaptool', ['--create', '--fsid', this.#fsid, '--addv', 'a', address, map]);
    await this.#tool('ceph-mon', ['--mkfs', '-i', 'a', '--monmap', map]);
    this.#serve('ceph-mon', ['-i', 'a']);
    const osd = randomUUID();
    await this.#tool('ceph', ['osd', 'new', osd]);
    await this.#tool('ceph-osd', ['-i', '0', '--mkfs', '--osd-uuid', osd]);
    this.#serve('ceph-osd', ['-i', '0']);
    const { accessKey, secretKey } = this.#options;
    const keys = ['--access-key', accessKey, '--secret-key', secretKey];
    const user = ['user', 'create', '--uid', 'test', '--display-name', 'test', ...keys];
    this.#serve('radosgw', ['-n', 'client.rgw']);
    await this.#tool('radosgw-admin', ['-n', 'client.rgw', ...user]);
    const answers = async (): Promise<boolean> => {
      this.#checkAlive();
      const { status } = await fetch(`http://127.0.0.1:${this.#options.s3Port}/`);
      return status === 200;
    };
    await waitUntil('the object store answers', answers, START_TIMEOUT_MS);
  }

  store(): ObjectStore {
    const endpoint = `http://127.0.0.1:${this.#options.s3Port}`;
    const { accessKey, secretKey } = this.#options;
    const keys = { accessKey, secretKey };
    return { endpoint, region: REGION, ...keys, send: (...args) => send(endpoint, keys, ...args) };
  }

  async stop(): Promise<void> {
    for (const child of this.#children.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'close');
      child.kill('SIGKILL');
      await ended;
    }
  }

  async #tool(program: string, args: readonly string[]): Promise<void> {
    await run(program, ['-c', this.#config, ...args], { timeout: START_TIMEOUT_MS });
  }

  #serve(program: string, args: readonly string[]): void {
    const log = openSync(this.#logOf(program), 'a');
    const stdio = ['ignore', log, log] as const;
    this.#children.push(spawn(program, ['-c', this.#config, '-f', ...args], { stdio: [...stdio] }));
    closeSync(log);
  }

  #checkAlive(): void {
    const dead = this.#children.find((child) => child.exitCode !== null);
    if (dead === undefined) return;
    const program = dead.spawnfile;
    throw new Error(`${program} has ended:\n${readFileSync(this.#logOf(program), 'utf8')}`);
  }

  #logOf(program: string): string {
    return join(this.#folder, `${program}.log`);
  }

  #settings(): string {
    const folder = this.#folder;
    const { isOpen = false, s3Port } = this.#options;
    return `
[global]
fsid = ${this.#fsid}
mon host = [v2:127.0.0.1:${this.#options.monitorPort}]
public addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
mon client mode = crc
ms mon client mode = crc
ms client mode = crc
run dir = ${folder}
log file =
admin socket =
crash dir = ${folder}
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
mon max pg per osd = 2000
mon allow pool size one = true
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 2147483648

[mon]
mon data = ${folder}/mon
mon data avail crit = 1
mon data avail warn = 2

[osd]
osd data = ${folder}/osd

[client.rgw]
rgw frontends = beast endpoint=${isOpen ? '0.0.0.0' : '127.0.0.1'}:${s3Port}
rgw data = ${folder}/rgw
rgw enable usage log = false
rgw enable ops log = false
rgw gc max objs = 1
rgw cache enabled = true
keyring = ${folder}/keyring
`;
  }
}

type StoreKeys = Pick<ObjectStore, 'accessKey' | 'secretKey'>;

/** A URL with a signature of version 2 in it, which S3 has had before the one of the product. */
function signedUrl(endpoint: string, keys: StoreKeys, method: string, path: string): URL {
  const url = new URL(path, endpoint);
  const expires = String(EXPIRES_S);
  const text = [method, '', '', expires, url.pathname].join('\n');
  url.searchParams.set('AWSAccessKeyId', keys.accessKey);
  url.searchParams.set('Expires', expires);
  const signature = createHmac('sha1', keys.secretKey).update(text).digest('base64');
  url.searchParams.set('Signature', signature);
  return url;
}

async function send(
  endpoint: string,
  keys: StoreKeys,
  method: string,
  path: string,
  body?: Buffer<ArrayBuffer>,
): Promise<Buffer> {
  const response = await fetch(signedUrl(endpoint, keys, method, path), {
    method,
    ...(body === undefined ? {} : { body }),
  });
  const answer = Buffer.from(await response.arrayBuffer());
  if (response.ok) return answer;
  throw new Error(`${method} ${path} gives ${response.status}: ${answer.toString()}`);
}
