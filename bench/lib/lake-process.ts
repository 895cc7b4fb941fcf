// A lake as its users run it: a process, asked over HTTP.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { freePorts, type ObjectStore, SOURCE_FLAGS, waitUntil } from '@skein/testkit';

import { post } from './post.ts';

const root = join(import.meta.dirname, '../..');
const SKEIN = join(root, 'packages/skein/src/cli/main.ts');
const EXTENSIONS = join(root, '.tools/duckdb-extensions');
const START_MS = 120_000;

export interface LakePlace {
  readonly isReader?: boolean;
  /** Where its files are; undefined: in its folder. */
  readonly store?: ObjectStore;
}

/** A lake that runs as a process. */
export class LakeProcess {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
  }

  static async start(folder: string, { isReader = false, store }: LakePlace): Promise<LakeProcess> {
    const [port] = (await freePorts(1)) as [number];
    const args = ['lake', 'serve', '--address', String(port), '--write', 'any'];
    const own = (name: string): string => join(folder, `${isReader ? 'reader' : 'writer'}-${name}`);
    const data = store === undefined ? join(folder, 'data') : 's3://lake/data/';
    args.push('--catalog', join(folder, 'catalog.db'), '--data', data);
    const child = spawn(process.execPath, [...SOURCE_FLAGS, SKEIN, ...args], {
      cwd: folder,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...process.env,
        SKEIN_LAKE_ENGINE_EXTENSIONS: EXTENSIONS,
        SKEIN_LAKE_ENGINE_SCRATCH: own('scratch'),
        SKEIN_LAKE_CATALOG_READ_ONLY: String(isReader),
        SKEIN_LAKE_DATA_CACHE_PATH: own('cache'),
        SKEIN_LAKE_LOG_LEVEL: 'warn',
        ...(store === undefined ? {} : storeEnvironment(store)),
      },
    });
    const lake = new LakeProcess(port, child);
    await waitUntil('the lake answers', async () => (await lake.#fetch('/readyz')).ok, START_MS);
    return lake;
  }

  /** The text of the answer, and its position. */
  async query(
    sql: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly text: string; readonly position: string }> {
    const body = JSON.stringify({ query: sql });
    const asked = { 'Content-Type': 'application/json', ...headers };
    const answer = await post({ port: this.port, path: '/q', headers: asked, body });
    const { status, text } = answer;
    if (status !== 200) throw new Error(`${status} ${text}: ${sql.slice(0, 200)}`);
    return { text, position: String(answer.headers['x-skein-position']) };
  }

  /** `csv`: the whole file. */
  async upload(table: string, csv: Buffer): Promise<void> {
    const boundary = 'the-end-of-a-part';
    const head =
      `--${boundary}\r\nContent-Disposition: form-data; name="data"; filename="rows.csv"\r\n` +
      'Content-Type: text/csv\r\n\r\n';
    const { status, text } = await post({
      port: this.port,
      path: `/upload/public/${table}`,
      headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` },
      body: Buffer.concat([Buffer.from(head), csv, Buffer.from(`\r\n--${boundary}--\r\n`)]),
    });
    if (status !== 200) throw new Error(text);
  }

  async etag(path: string): Promise<string> {
    const answer = await this.#fetch(path);
    await answer.text();
    return answer.headers.get('etag') ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM');
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
  }

  #fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}${path}`, init);
  }
}

function storeEnvironment(store: ObjectStore): Record<string, string> {
  return {
    SKEIN_LAKE_S3_ENDPOINT: store.endpoint,
    SKEIN_LAKE_S3_REGION: store.region,
    SKEIN_LAKE_S3_ACCESS_KEY: store.accessKey,
    SKEIN_LAKE_S3_SECRET_KEY: store.secretKey,
  };
}
