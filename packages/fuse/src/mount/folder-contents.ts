// What is in a folder that a mount would hide.
//
// Between two lives of a daemon its mountpoint is a folder like any other: programs that go on
// trying to open a file there make it, empty. Files without content do not count, so that those do
// not keep the next daemon from starting; one in which somebody has written does.

import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Names. Throws what Node throws for a folder that cannot be read. */
export function findContents(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => !isEmptyFile(join(folder, name)));
}

function isEmptyFile(path: string): boolean {
  const status = lstatSync(path, { throwIfNoEntry: false });
  return status === undefined || (status.isFile() && status.size === 0);
}
