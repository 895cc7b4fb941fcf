import assert from 'node:assert/strict';
import { test } from 'node:test';

import { crashPoints, PowerCut, SeededRandom } from '@skein/testkit';

import { actMuch, applyDamage, copyDisk, makeFolder } from '../../test/damage.ts';
import { checkOn, openCopy, repairOn } from '../../test/inspect-damage.ts';
import { samplePoints } from '../../test/world.ts';

const SEED = 5;
/** All of them with SKEIN_SIM_POINTS=all. */
const POINTS_MAX = 40;

/** All ways of repair: pages, a checkpoint, a sidecar, a log that is begun anew. */
const DAMAGES = [
  { kind: 'zero', file: 'dbs/app.db/database', offset: 0 },
  { kind: 'delete', file: 'dbs/wal.db/checkpoint.json' },
  { kind: 'delete', file: 'dbs/copied.db/checksums' },
  { kind: 'zero', file: 'log/0000000000000003.ltxs', offset: 4096 },
] as const;

test('repair() can be done again after a power cut at any of its operations', () => {
  const { disk: sound, state } = makeFolder(actMuch, SEED, 'closed');
  const damaged = copyDisk(sound);
  for (const damage of DAMAGES) assert(applyDamage(damaged, damage));
  const files = checkOn(copyDisk(damaged)).findings.map(({ file }) => file);
  for (const { file } of DAMAGES) assert(files.includes(file), `${file} is not found`);
  const whole = copyDisk(damaged);
  repairOn(whole);

  const random = new SeededRandom(SEED);
  const steps = crashPoints(whole.operations);
  for (const stop of samplePoints(random, steps, POINTS_MAX)) {
    const disk = copyDisk(damaged);
    disk.stopAt(stop);
    assert.throws(() => repairOn(disk), PowerCut);
    const after = disk.powerCut(random, 'random');
    const at = `After a power cut ${stop.when} operation ${stop.n}`;
    assert.deepEqual(repairOn(after).after.findings, [], at);
    assert.equal(openCopy(after, state), 'same', at);
  }
});
