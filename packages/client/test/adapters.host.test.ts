// Every adapter over every driver, on a plain file.

import { describe, test } from 'node:test';

import { onTestEnd, tempDir } from '@skein/testkit';

import { openDatabase } from '../src/open-database.ts';
import { checkLocks, checkPrimary, checkReplica, DRIVERS, SUBJECTS } from './adapters/suite.ts';
import { FAKE_PRIMARY, FakeNode } from './fake-node.ts';

for (const driver of DRIVERS) {
  describe(`Over ${driver}`, () => {
    for (const subject of SUBJECTS) {
      test(`${subject.name} follows the role of its node`, async (t) => {
        const node = new FakeNode(tempDir(t));
        const database = openDatabase(node, { driver, database: 'app.db' });
        const session = subject.open(database.defaultSafeIntegers());
        onTestEnd(t, () => session.close());
        await checkPrimary(session);
        const other = openDatabase(node, { driver, database: 'app.db', busyTimeoutMs: 0 });
        onTestEnd(t, () => void other.close());
        await checkLocks(session, other);
        node.become('replica');
        await checkReplica(session, FAKE_PRIMARY);
        node.become('primary');
        await session.execute('DELETE FROM items');
      });
    }
  });
}
