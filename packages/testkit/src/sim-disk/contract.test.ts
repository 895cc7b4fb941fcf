import { testBackgroundIo } from '../conformance/background-io-contract.ts';
import { testDisk } from '../conformance/disk-contract.ts';
import { SimBackgroundIo } from './sim-background-io.ts';
import { SimDisk } from './sim-disk.ts';

function setUp(): { disk: SimDisk; folder: string } {
  const disk = new SimDisk();
  disk.makeDirectory('test.mkdir', '/data');
  return { disk, folder: '/data' };
}

testDisk('SimDisk', setUp);

testBackgroundIo('SimBackgroundIo', () => {
  const background = new SimBackgroundIo();
  return { ...setUp(), background, settle: () => background.runBackground() };
});
