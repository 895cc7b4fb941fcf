// skein check: what would be in the way of a mount, and how to mend it.

import { hostname } from 'node:os';

import type { Command } from 'commander';

import { ApiError } from '../../api/errors.ts';
import { dataFolderOf } from '../../config/draft.ts';
import { finishDraft } from '../../config/finish-draft.ts';
import { findDataFolder, type LoadedDraft, loadDraft } from '../../config/load-config.ts';
import { readSecretFiles } from '../../config/load-mount-config.ts';
import type { MountConfig } from '../../config/mount-config.ts';
import { READ } from '../../config/skein-file.ts';
import type { CheckResult } from '../check/check-result.ts';
import {
  checkDataFolder,
  checkMountpoint,
  checkSpace,
  findServing,
} from '../check/check-folders.ts';
import { checkAllowOther, checkDevice, checkKernel, checkRights } from '../check/check-fuse.ts';
import { checkPort } from '../check/check-port.ts';
import { checkWaking } from '../check/check-waking.ts';
import { drawDeepReport, isDamaged, runDeepCheck } from '../check/deep-check.ts';
import type { CommandContext } from '../command-context.ts';
import { UsageError } from '../errors.ts';
import { configSources, type PlaceFlags, reader, withPlace } from '../options.ts';
import { showProgress } from '../progress.ts';
import { EXIT_CODE } from '../report-error.ts';

interface CheckFlags extends PlaceFlags {
  readonly json: boolean;
  readonly deep: boolean;
  readonly repair: boolean;
}

const HELP = `
Without --deep: the machine, the configuration, the folders. Nothing is changed.
With --deep: every byte of log, checksums and databases, while no node runs on the data folder.
--repair mends from what is sound whatever a checksum proves, keeps the originals of what it
replaces, and leaves the rest as it is.
Exit code 1 when something prevents a mount, or is damaged.

Examples:
  skein check ./app
  skein check --deep --data /var/lib/app
  skein check --deep --repair --data /var/lib/app`;

export function addCheck(program: Command, context: CommandContext): void {
  const command = program
    .command('check')
    .summary('find what prevents a mount, or is damaged')
    .description('Finds what prevents a mount and says how to mend it.')
    .argument('[folder]', 'where the databases would be seen', reader(READ.path));
  withPlace(command)
    .option('--deep', 'verify every byte of the data folder', false)
    .option('--repair', 'with --deep: repair what can be', false)
    .option('--json', 'as JSON', false)
    .addHelpText('after', HELP)
    .action((folder: string | undefined, flags: CheckFlags) => {
      if (flags.deep) return checkDeeply(context, flags, folder);
      if (flags.repair) throw new UsageError('--repair needs --deep');
      return check(context, flags, folder);
    });
}

function checkDeeply(context: CommandContext, flags: CheckFlags, folder: string | undefined): void {
  const dataFolder = findDataFolder(configSources(context, flags, { mountpoint: folder }));
  const progress = showProgress(context, 'Reading', flags.json);
  const onProgress = ({ doneBytes, totalBytes }: { doneBytes: number; totalBytes: number }): void =>
    progress.update(doneBytes, totalBytes);
  const report = runDeepCheck({ dataFolder, onProgress }, flags.repair);
  progress.end();
  context.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : drawDeepReport(report));
  if (isDamaged(report)) context.exitCode = EXIT_CODE.failed;
}

async function check(
  context: CommandContext,
  flags: CheckFlags,
  folder: string | undefined,
): Promise<void> {
  const loaded = loadDraft(configSources(context, flags, { mountpoint: folder }));
  const { isRoot } = context;
  const results = [
    checkDevice(),
    checkRights(isRoot),
    checkKernel(isRoot),
    checkWaking(),
    ...(await checkPlaces(context, loaded)),
    ...loaded.warnings.map((message): CheckResult => {
      return { name: 'configuration', level: 'warn', message };
    }),
  ];
  const text = flags.json ? `${JSON.stringify(results)}\n` : results.map(draw).join('');
  context.stdout.write(text);
  if (results.some(({ level }) => level === 'fail')) context.exitCode = EXIT_CODE.failed;
}

/** What the configuration names; where it names nothing, there is nothing to check. */
async function checkPlaces(
  { cwd, isRoot }: CommandContext,
  { draft }: LoadedDraft,
): Promise<CheckResult[]> {
  const dataFolder = dataFolderOf(draft, cwd);
  if (dataFolder === undefined) return [];
  let isServed: boolean;
  try {
    isServed = await findServing(dataFolder);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { message, hint: fix = 'see the log of the node' } = error;
    return [{ name: 'data folder', level: 'fail', message, fix }];
  }
  const results = [checkDataFolder(dataFolder, isServed), checkSpace(dataFolder)];
  if (draft.mountpoint === undefined) return results;
  const config: MountConfig = finishDraft(readSecretFiles(draft, cwd), {
    cwd,
    isRoot,
    hostname: hostname(),
  });
  results.push(checkMountpoint(config, isServed));
  if (config.allowOther) results.push(checkAllowOther(isRoot));
  if (config.http !== undefined) results.push(await checkPort(config.http, isServed));
  const listen = config.cluster?.listen;
  // Where others are tried as well, one that is taken is no fault.
  if (listen?.portCount === 1) results.push(await checkPort(listen, isServed));
  if (config.proxy !== undefined) results.push(await checkPort(config.proxy.address, isServed));
  return results;
}

function draw({ name, level, message, fix }: CheckResult): string {
  const line = `${level.padEnd(4)}  ${name}: ${message}\n`;
  return fix === undefined ? line : `${line}      ${fix}\n`;
}
