// NodeControl for a node that serves a mount: asks the thread that does.

import { join } from 'node:path';

import { formatPrometheus, readMetrics, systemClock } from '@skein/host';

import type { ClusterStatus } from '../api/cluster-status.ts';
import type { DatabaseStatus, NodeControl, NodeStatus, OnProgress } from '../api/node-control.ts';
import type { MountConfig } from '../config/mount-config.ts';
import { SKEIN_VERSION } from '../version.ts';
import type { MountThreadClient } from './mount-thread/mount-thread-client.ts';

export interface DaemonControlOptions {
  readonly config: MountConfig;
  readonly thread: MountThreadClient;
  /** Of NodeMetrics, one for each thread that counts. */
  readonly metrics: () => readonly SharedArrayBuffer[];
  readonly cluster: () => ClusterStatus | undefined;
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
    const cluster = this.#options.cluster();
    return {
      version: SKEIN_VERSION,
      mountpoint: config.mountpoint,
      dataFolder: config.dataFolder,
      startedMs: this.#startedMs,
      uptimeMs: Math.round(systemClock.monotonicMs() - this.#startedMonotonicMs),
      warnings,
      ...status,
      ...(cluster === undefined ? {} : { cluster }),
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
    const samples = this.#options.metrics().map((buffer) => readMetrics(buffer));
    return formatPrometheus([...mergeSamples(samples), ...this.#requestSamples()]);
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

type Samples = ReturnType<typeof readMetrics>;

/** Threads that count the same count their own part of it. */
function mergeSamples(parts: readonly Samples[]): Samples {
  const byKey = Map.groupBy(parts.flat(), ({ name, labels }) => name + JSON.stringify(labels));
  return [...byKey.values()].map((same) => {
    const value = same.reduce((sum, sample) => sum + sample.value, 0);
    return { ...same[0]!, value };
  });
}
