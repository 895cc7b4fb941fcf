// Where DuckDB's extensions come from: they are not on npm. In this order, each extension for
// itself: the folder of the configuration, DuckDB's own folder, what an earlier start has fetched,
// DuckDB's INSTALL, the Python packages of the same version.
//
// Invariant: DuckDB has checked the signature of each file that is handed out (unsigned extensions
// stay off), and a file in the cache is whole: it is fetched beside it, checked, then renamed.

import { closeSync, mkdirSync, mkdtempSync, openSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Log, nodeFileLocks } from '@skein/host';

import type { Extensions } from '../engine/ports.ts';
import { StoreError } from './errors.ts';
import {
  type DuckDbBuild,
  duckDbBuild,
  type ExtensionName,
  fileNameOf,
  maybeFindIn,
  whyNotLoadable,
} from './extension-files.ts';
import { installByDuckDb, installByPip } from './extension-sources.ts';

export interface ExtensionsOptions {
  /** Of the configuration; the files themselves or DuckDB's `v1.2.3/linux_amd64/` are in it. */
  readonly folder?: string | undefined;
  /** What is fetched is kept there. Several processes may share it. */
  readonly cacheFolder: string;
  /** An object store is asked by httpfs; a lake in a folder does without. */
  readonly needsHttpfs: boolean;
  readonly log: Log;
  /** Whether the network may be asked; where not, only folders are looked into. */
  readonly mayFetch?: boolean;
  /** How they are fetched, in this order. */
  readonly fetchers?: readonly ExtensionFetcher[];
  /** DuckDB's own folder: ~/.duckdb/extensions. */
  readonly duckDbFolder?: string;
}

export interface ExtensionFetcher {
  readonly label: string;
  /** Puts files anywhere below `folder`, as `NAME.duckdb_extension`. */
  readonly fetch: (
    names: readonly ExtensionName[],
    folder: string,
    build: DuckDbBuild,
  ) => Promise<void>;
}

const FETCHERS: readonly ExtensionFetcher[] = [
  { label: "DuckDB's INSTALL", fetch: installByDuckDb },
  { label: 'pip download', fetch: installByPip },
];

const LOCK_POLL_MS = 100;
/** Another start may be fetching 100 MB over a slow line. */
const LOCK_TIMEOUT_MS = 300_000;

/** Throws StoreError LAKE_EXTENSION_MISSING, which tells what was tried and what to do. */
export async function provideExtensions(options: ExtensionsOptions): Promise<Extensions> {
  const search = new Search(await duckDbBuild(), options);
  await search.run();
  return {
    ducklake: search.pathOf('ducklake'),
    sqliteScanner: search.pathOf('sqlite_scanner'),
    httpfs: options.needsHttpfs ? search.pathOf('httpfs') : undefined,
  };
}

class Search {
  readonly #build: DuckDbBuild;
  readonly #options: ExtensionsOptions;
  readonly #found = new Map<ExtensionName, string>();
  readonly #wanted: readonly ExtensionName[];
  /** What was tried in vain, in order. */
  readonly #failures: string[] = [];

  constructor(build: DuckDbBuild, options: ExtensionsOptions) {
    this.#build = build;
    this.#options = options;
    this.#wanted = ['ducklake', 'sqlite_scanner', ...(options.needsHttpfs ? HTTPFS : [])];
  }

  async run(): Promise<void> {
    const { folder, duckDbFolder = maybeDuckDbFolder() } = this.#options;
    if (folder !== undefined) await this.#lookInto(folder, 'the configured folder');
    if (duckDbFolder !== undefined) await this.#lookInto(duckDbFolder, "DuckDB's folder");
    await this.#lookInto(this.#options.cacheFolder, 'the folder of what was fetched');
    if (this.#missing.length > 0 && this.#options.mayFetch !== false) await this.#fetchLocked();
    if (this.#missing.length > 0) throw this.#missingError();
  }

  pathOf(name: ExtensionName): string {
    return this.#found.get(name)!;
  }

  get #missing(): ExtensionName[] {
    return this.#wanted.filter((name) => !this.#found.has(name));
  }

  async #lookInto(folder: string, label: string): Promise<void> {
    for (const name of this.#missing) {
      const path = maybeFindIn(folder, name, this.#build);
      if (path === undefined) {
        this.#failures.push(`${label} (${folder}) has no ${fileNameOf(name)}`);
        continue;
      }
      const reason = await whyNotLoadable(path);
      if (reason === undefined) this.#found.set(name, path);
      else this.#failures.push(`${label}: ${path}: ${reason}`);
    }
  }

  /** One process at a time fetches; the others find what it has fetched. */
  async #fetchLocked(): Promise<void> {
    const { cacheFolder } = this.#options;
    mkdirSync(cacheFolder, { recursive: true });
    const fd = openSync(join(cacheFolder, 'lock'), 'a');
    try {
      const deadlineMs = performance.now() + LOCK_TIMEOUT_MS;
      // A lock ends with its process: what is too late goes on without it, which costs a download.
      while (!nodeFileLocks.tryLockFile(fd) && performance.now() < deadlineMs) {
        await sleep(LOCK_POLL_MS);
      }
      await this.#lookInto(cacheFolder, 'the folder of what was fetched');
      for (const fetcher of this.#options.fetchers ?? FETCHERS) {
        if (this.#missing.length > 0) await this.#fetchBy(fetcher);
      }
    } finally {
      closeSync(fd);
    }
  }

  async #fetchBy({ label, fetch }: ExtensionFetcher): Promise<void> {
    const { cacheFolder, log } = this.#options;
    const names = this.#missing;
    const { version, platform } = this.#build;
    log.info('Fetching extensions of DuckDB', { names: names.join(' '), version, by: label });
    const staging = mkdtempSync(join(cacheFolder, 'fetching-'));
    try {
      await fetch(names, staging, this.#build);
      const home = join(cacheFolder, version, platform);
      mkdirSync(home, { recursive: true });
      for (const name of names) await this.#adopt(name, staging, home, label);
    } catch (error) {
      this.#failures.push(`${label}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      rmSync(staging, { recursive: true, force: true });
    }
  }

  async #adopt(name: ExtensionName, staging: string, home: string, label: string): Promise<void> {
    const fetched = maybeFindIn(staging, name, this.#build);
    const reason = fetched === undefined ? 'it brought no file' : await whyNotLoadable(fetched);
    if (fetched === undefined || reason !== undefined) {
      this.#failures.push(`${label}: ${name}: ${reason}`);
      return;
    }
    const path = join(home, fileNameOf(name));
    renameSync(fetched, path);
    this.#found.set(name, path);
  }

  #missingError(): StoreError {
    const names = this.#missing.join(', ');
    const { version, platform } = this.#build;
    const tried = [...new Set(this.#failures)].map((failure) => `\n  - ${failure}`).join('');
    const message = `DuckDB ${version} has no extension ${names} for ${platform}. Tried:${tried}`;
    const hint =
      `Put ${this.#missing.map(fileNameOf).join(' and ')} of DuckDB ${version} for ${platform}` +
      ' into a folder and name it: engine.extensions, or SKEIN_LAKE_ENGINE_EXTENSIONS';
    return new StoreError('LAKE_EXTENSION_MISSING', message, { hint });
  }
}

/** Users of services have no home, often. */
function maybeDuckDbFolder(): string | undefined {
  const home = process.env['HOME'] ?? '';
  return home === '' ? undefined : join(home, '.duckdb', 'extensions');
}

const HTTPFS: readonly ExtensionName[] = ['httpfs'];
