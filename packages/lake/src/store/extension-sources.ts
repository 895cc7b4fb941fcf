// The two ways to fetch extensions from the network, each in processes of its own: they can be
// ended when they take too long, and what they load does not stay in this process. Neither is told
// a secret of the node.

import { spawn } from 'node:child_process';
import { extname, join } from 'node:path';
import { text } from 'node:stream/consumers';

import type { DuckDbBuild, ExtensionName } from './extension-files.ts';

/** Some 15 MB each; DuckDB itself gives up on a server that does not answer. */
const INSTALL_TIMEOUT_MS = 120_000;
const DOWNLOAD_TIMEOUT_MS = 180_000;
const UNPACK_TIMEOUT_MS = 60_000;
/** What of a program's complaint goes into a message. */
const COMPLAINT_LENGTH_MAX = 300;

const SECRET_VARIABLES = /^(?:SKEIN_|SEAFOWL__|AWS_)/;

/** DuckDB's own INSTALL, from its own repository. */
export async function installByDuckDb(
  names: readonly ExtensionName[],
  folder: string,
): Promise<void> {
  // The same ending as this file has: of a source, or of what was made of it.
  const script = join(import.meta.dirname, `install-extensions${extname(import.meta.filename)}`);
  await run(process.execPath, [...process.execArgv, script, folder, ...names], INSTALL_TIMEOUT_MS);
}

/**
 * The wheels `duckdb-extension-NAME`, which a third party packs; DuckDB checks the signature of
 * what is in them. A wheel is a zip file and nothing in it is run.
 */
export async function installByPip(
  names: readonly ExtensionName[],
  folder: string,
  { version }: DuckDbBuild,
): Promise<void> {
  const wanted = names.map((name) => {
    return `duckdb-extension-${name.replaceAll('_', '-')}==${version.replace('v', '')}`;
  });
  const quiet = ['--quiet', '--no-input', '--disable-pip-version-check', '--no-cache-dir'];
  const only = ['--no-deps', '--only-binary', ':all:', '--retries', '1', '--timeout', '30'];
  const download = ['-m', 'pip', 'download', ...quiet, ...only, '--dest', folder, ...wanted];
  await run('python3', download, DOWNLOAD_TIMEOUT_MS);
  const unpack = ['-c', UNPACK_WHEELS, folder];
  await run('python3', unpack, UNPACK_TIMEOUT_MS);
}

/** Only the extensions themselves, each by its own name: no path of an archive is followed. */
const UNPACK_WHEELS = `
import os, shutil, sys, zipfile
folder = sys.argv[1]
for wheel in [name for name in os.listdir(folder) if name.endswith('.whl')]:
    with zipfile.ZipFile(os.path.join(folder, wheel)) as archive:
        for member in archive.namelist():
            if member.endswith('.duckdb_extension'):
                target = os.path.join(folder, os.path.basename(member))
                with archive.open(member) as source, open(target, 'wb') as sink:
                    shutil.copyfileobj(source, sink)
`;

/** Rejects with what the program complained of, when it fails or takes too long. */
async function run(program: string, args: readonly string[], timeoutMs: number): Promise<void> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !SECRET_VARIABLES.test(name)),
  );
  const signal = AbortSignal.timeout(timeoutMs);
  const child = spawn(program, args, { env, signal, stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [complaint, code] = await Promise.all([text(child.stderr), exited]);
  if (code === 0) return;
  throw new Error(lastLineOf(complaint) ?? `${program} ended with ${code}`);
}

function lastLineOf(complaint: string): string | undefined {
  const lines = complaint.split('\n').filter((line) => line.trim() !== '');
  return lines.at(-1)?.slice(0, COMPLAINT_LENGTH_MAX);
}
