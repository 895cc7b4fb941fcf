// Every kind of damage to every file of a data folder, at each byte of small files and at a sample
// of the others; all of them with SKEIN_SIM_POINTS=all. A failure names the damage, which is enough
// to replay it: SKEIN_SIM_CASE='<what it prints>' npm test -- sim engine/src/check.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { SeededRandom } from '@skein/testkit';

import {
  actLittle,
  actMuch,
  applyDamage,
  copyDisk,
  type Damage,
  makeFolder,
  readFile,
  type SampleFolder,
} from '../../test/damage.ts';
import { checkOn, openCopy, repairOn } from '../../test/inspect-damage.ts';
import { samplePoints } from '../../test/world.ts';

const SEED = 7;
const BLOCK_BYTES = 4096;
/** Files up to this size are damaged at each byte. */
const SMALL_BYTES = 200;
const CASES_MAX = 80;

const folders = [
  { name: 'a folder with much in it, closed', act: actMuch, end: 'closed' },
  { name: 'a folder with much in it, after a crash', act: actMuch, end: 'crashed' },
  { name: 'a small folder, closed', act: actLittle, end: 'closed' },
  { name: 'a small folder, after a crash', act: actLittle, end: 'crashed' },
] as const;

describe('damage to a file', () => {
  for (const { name, act, end } of folders) {
    const folder = makeFolder(act, SEED, end);
    const damages = listDamages(folder, act === actLittle);

    test(`${name}: is found, is refused, or is of no consequence`, () => {
      for (const damage of damages) attempt(damage, () => testFound(folder, damage));
    });

    test(`${name}: is repaired, or nothing is taken for repaired`, () => {
      for (const damage of damages) attempt(damage, () => testRepaired(folder, damage));
    });
  }
});

/** Nothing is passed over in silence: not by a check, and not by a start if it is in its way. */
function testFound(folder: SampleFolder, damage: Damage): void {
  const disk = copyDisk(folder.disk);
  if (!applyDamage(disk, damage)) return;
  const { findings } = checkOn(disk);
  const outcome = openCopy(disk, folder.state);
  if (findings.length === 0) {
    assert.equal(outcome, 'same', 'A check finds nothing');
    return;
  }
  // What is cut off the end of the log cleanly shows only in a database.
  const files = findings.map(({ file }) => file);
  assert(files.includes(damage.file) || files.includes('log'), `Found is ${files.join(', ')}`);
  // A start reads none of the pages.
  if (outcome === 'different') assert.match(damage.file, /\/database$/u, 'A start notices nothing');
}

function testRepaired(folder: SampleFolder, damage: Damage): void {
  const disk = copyDisk(folder.disk);
  if (!applyDamage(disk, damage)) return;
  const before = copyDisk(disk);
  const { after } = repairOn(disk);
  const isLeft = after.findings.some(({ kind }) => kind === 'damage');
  if (!isLeft) assert.equal(openCopy(disk, folder.state), 'same', 'It is repaired');
  for (const { repair, hint, kind, what } of after.findings) {
    assert.equal(repair, undefined, 'It can be repaired, and was not');
    assert(hint !== undefined || kind !== 'damage', `It does not say what to do: ${what}`);
  }
  if (isLeft) {
    for (const file of folder.files.filter((name) => name.endsWith('/database'))) {
      assert.deepEqual(readFile(disk, file), readFile(before, file), `${file} was touched`);
    }
  }
  assert.equal(repairOn(disk).savedTo, undefined, 'A second repair changes something');
}

function listDamages({ disk, files }: SampleFolder, isExhaustive: boolean): readonly Damage[] {
  const wanted = process.env['SKEIN_SIM_CASE'];
  if (wanted !== undefined) return [JSON.parse(wanted) as Damage];
  const random = new SeededRandom(SEED);
  const small: Damage[] = [];
  const others: Damage[] = [];
  for (const file of files) {
    const size = readFile(disk, file)!.length;
    const flips = size > SMALL_BYTES ? others : small;
    for (let offset = 0; offset < size; offset++) {
      flips.push({ kind: 'flip', file, offset, bit: random.int(0, 7) });
    }
    for (let offset = 0; offset < size; offset += BLOCK_BYTES) {
      small.push({ kind: 'zero', file, offset });
    }
    small.push({ kind: 'delete', file });
    for (const part of [0, 0.3, 0.6, 0.99]) {
      small.push({ kind: 'cut', file, sizeBytes: Math.floor(size * part) });
    }
  }
  const sampled = samplePoints(random, others, CASES_MAX);
  return [...(isExhaustive ? small : samplePoints(random, small, CASES_MAX)), ...sampled];
}

function attempt(damage: Damage, act: () => void): void {
  try {
    act();
  } catch (cause) {
    const { message } = cause as Error;
    throw new Error(`${message}\n  SKEIN_SIM_CASE='${JSON.stringify(damage)}'`, { cause });
  }
}
