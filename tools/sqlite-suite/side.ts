// Where test files run: on the bare disk, or on a mount. A worker holds one side and uses it for
// one file after the other.

import { chownSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { testUser } from './test-user.ts';

export type SideName = 'bare' | 'mount';

export interface SideOptions {
  /** A folder for everything that the side needs. */
  readonly home: string;
  /** What is not a test's output, but may explain it. */
  readonly logPath: string;
}

export interface Side extends AsyncDisposable {
  /** An empty folder that belongs to the test user; what the last file left there is gone. */
  freshFolder(): Promise<string>;
}

export function openBareSide({ home }: SideOptions): Side {
  const folder = join(home, 'folder');
  return {
    async freshFolder() {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      const user = testUser();
      if (user !== undefined) chownSync(folder, user.uid, user.gid);
      return folder;
    },
    async [Symbol.asyncDispose]() {
      rmSync(home, { recursive: true, force: true });
    },
  };
}
