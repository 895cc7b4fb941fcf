// A program: `minio server FOLDER` as the compose file has it, played by Ceph, which checks
// signatures as MinIO does. Folders in FOLDER are buckets; what is in them is gone with it.

import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Ceph, interruptSignal } from '@skein/testkit';

const S3_PORT = 9000;
const MONITOR_PORT = 3300;

const signal = interruptSignal();
const [, folder = '/data'] = process.argv.slice(2);
const secretKey = readFileSync(process.env['MINIO_ROOT_PASSWORD_FILE']!, 'utf8');
const ceph = new Ceph(mkdtempSync(join(tmpdir(), 'minio-')), {
  monitorPort: MONITOR_PORT,
  s3Port: S3_PORT,
  accessKey: process.env['MINIO_ROOT_USER']!,
  secretKey,
  isOpen: true,
});
await ceph.start();
const store = ceph.store();
for (const bucket of readdirSync(folder)) await store.send('PUT', `/${bucket}`);
await new Promise((resolve) => {
  signal.addEventListener('abort', resolve, { once: true });
});
await ceph.stop();
