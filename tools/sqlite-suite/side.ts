// Where test files run: on the bare disk, or on a mount. A worker holds one side and uses it for
// one file after the other.

import { join } from 'node:path';

import { makeTestFolder } from './test-user.ts';

export type SideName = 'bare' | 'mount';

export interface SideOptions {
  /** A folder for everything that the side needs; whoever opens the side removes it. */
  readonly home: string;
  /** What is not a test's output, but may explain it. */
  readonly logPath: string;
}

export interface Side extends AsyncDisposable {
  /** An empty folder that belongs to the test user; what the last file left there is gone. */
  freshFolder(): Promise<string>;
  /** Gives the folder up: whoever waits for a file in it gets an error. */
  abandon(): Promise<void>;
}

export function openBareSide({ home }: SideOptions): Side {
  return {
    async freshFolder() {
      return makeTestFolder(join(home, 'folder'));
    },
    async abandon() {},
    async [Symbol.asyncDispose]() {},
  };
}
