// Changes to SQLite's test harness, none to its tests: two habits of the harness that have nothing
// to do with what a test is about, and that no folder of databases can put up with.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Patch {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const PATCHES: readonly Patch[] = [
  // The script of a second process is written into the folder of databases.
  { file: 'lock_common.tcl', from: '"|$prg tf_main.tcl"', to: '"|$prg $::env(HOME)/tf_main.tcl"' },
  {
    file: 'lock_common.tcl',
    from: '[open tf_main.tcl w]',
    to: '[open $::env(HOME)/tf_main.tcl w]',
  },
  // What is saved between tests is whatever has the database's name, on the mount its position too.
  {
    file: 'tester.tcl',
    from: `    set f2 "sv_$f"\n`,
    to: `    if {[string match *-pos $f]} continue\n    set f2 "sv_$f"\n`,
  },
  {
    file: 'tester.tcl',
    from: '    set f [string range $f2 3 end]\n',
    to: '    if {[string match *-pos $f2]} continue\n    set f [string range $f2 3 end]\n',
  },
];

/** `folder`: the tests, as the package has them. */
export function patchHarness(folder: string): void {
  for (const { file, from, to } of PATCHES) {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    assert(text.includes(from), `${file} of this version of SQLite does not contain ${from}`);
    writeFileSync(
      path,
      text.replace(from, () => to),
    );
  }
}
