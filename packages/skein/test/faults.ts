// The orders for inject-faults.ts, by way of a file: the daemon is another process, and the thread
// that serves the mount takes no messages that tests could send.

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { tempDir, type TestScope } from '@skein/testkit';

export type FaultOrder =
  | {
      readonly on: 'request';
      /** Whose requests count. */
      readonly pid: number;
      /** So many go by before. */
      readonly skip: number;
      readonly action: 'kill-client' | 'kill-daemon';
    }
  | {
      /** Before an operation that changes the disk. */
      readonly on: 'disk';
      /** Only operations of this name count: "log.sync". */
      readonly op?: string;
      readonly skip: number;
      readonly action: 'kill-daemon' | 'EIO' | 'ENOSPC';
    };

/** Not 0, of which the kernel itself is the client. */
const NO_PROCESS = -1;

export class Faults {
  readonly #path: string;

  constructor(t: TestScope) {
    this.#path = join(tempDir(t), 'orders');
  }

  /** What the daemon has to load: NodeOptions.preload. */
  get preload(): URL {
    const url = new URL('inject-faults.ts', import.meta.url);
    url.searchParams.set('orders', this.#path);
    return url;
  }

  /** From now on the daemon counts. An order that has not struck is replaced. */
  order(order: FaultOrder): void {
    rmSync(`${this.#path}.struck`, { force: true });
    writeFileSync(`${this.#path}.new`, JSON.stringify(order));
    // At once as a whole: the daemon looks at any moment.
    renameSync(`${this.#path}.new`, this.#path);
  }

  /** An order that has not struck is taken back. */
  disarm(): void {
    this.order({ on: 'request', pid: NO_PROCESS, skip: 0, action: 'kill-client' });
  }

  /** What was struck by the last order: "write", "sync log.sync"; undefined if it has not come. */
  get struck(): string | undefined {
    const path = `${this.#path}.struck`;
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  }
}
