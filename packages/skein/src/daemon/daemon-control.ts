// NodeControl for a node that serves a mount: asks the thread that does.

import { join } from 'node:path';

import { formatPrometheus, readMetrics, systemClock } from '@skein/host';

import type { DatabaseStatus, NodeControl, NodeStatus, OnProgress } from '../api/node-control.ts';
import type { MountConfig } from '../config/mount-config.ts';
import { SKEIN_VERSION } from '../version.ts';
import type { MountThreadClient } from './mount-thread-client.ts';

export interface DaemonControlOptions {
  readonly config: MountConfig;
  readonly thread: MountThreadClient;
  /** Of NodeMetrics in that thread. */
  readonly metrics: SharedArrayBuffer;
  readonly warnings: readonly string[];
}

export class DaemonControl implements NodeControl {
  readonly #options: DaemonControlOptions;
  readonly #startedMs = systemClock.wallMs();
  readonly #startedMonotonicMs = systemClock.monotonicMs();
  #scratchCount = 0;

  constructor(options: DaemonControlOptions) {
    this.#options = options;
  }

  async status(): Promise<NodeStatus> {
    const { config, thread, warnings } = this.#options;
    const status = await thread.call('status', []);
    return {
      version: SKEIN_VERSION,
      mountpoint: config.mountpoint,
      dataFolder: config.dataFolder,
      startedMs: this.#startedMs,
      uptimeMs: Math.round(systemClock.monotonicMs() - this.#startedMonotonicMs),
      warnings,
      ...status,
    };
  }

  importDatabase(name: string, path: string): Promise<DatabaseStatus> {
    return this.#options.thread.call('import', [name, path]);
  }

  exportDatabase(name: string, path: string, onProgress?: OnProgress): Promise<DatabaseStatus> {
    return this.#options.thread.call('export', [name, path], onProgress);
  }

  newScratchPath(purpose: string): string {
    // The engine numbers its own scratch files without a prefix.
    const name = `api-${++this.#scratchCount}.${purpose}`;
    return join(this.#options.config.dataFolder, 'scratch', name);
  }

  metrics(): string {
    return formatPrometheus([...readMetrics(this.#options.metrics), ...this.#requestSamples()]);
  }

  #requestSamples(): ReturnType<typeof readMetrics> {
    const { counts } = this.#options.thread;
    const help = 'Requests of the kernel that were answered';
    return Object.entries(counts.snapshot()).map(([opcode, value]) => ({
      name: 'skein_fuse_requests_total',
      kind: 'counter' as const,
      help,
      labels: { opcode },
      value,
    }));
  }
}
