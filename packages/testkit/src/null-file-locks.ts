// File locks for tests whose files nobody else can reach, such as those of a simulated disk.

import type { FileLocks } from '@skein/host';

export const nullFileLocks: FileLocks = {
  tryLockFile: () => true,
  tryLockRange: () => true,
  unlockRange: () => {},
  findHolder: () => undefined,
};
