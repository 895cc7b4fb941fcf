import { tempDir, testDisk } from '@skein/testkit';

import { nodeDisk } from './node-disk.ts';

testDisk('nodeDisk', (t) => ({ disk: nodeDisk, folder: tempDir(t) }));
