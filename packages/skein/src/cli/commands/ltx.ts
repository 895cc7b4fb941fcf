// skein ltx: looks into LTX files, of LiteFS 0.5 and Litestream 0.5 as well as our own.

import { formatHex64 } from '@skein/bytes';
import { formatCount, formatSize } from '@skein/host';
import {
  FLAG_LZ4,
  formatChecksum,
  formatTxid,
  isSnapshot,
  LtxFormatError,
  type LtxSummary,
} from '@skein/ltx';
import type { Command } from 'commander';

import type { CommandContext } from '../command-context.ts';
import { FileError } from '../errors.ts';
import { inspectLtxFile, type LtxPageLine } from '../ltx-inspection.ts';
import { EXIT_CODE } from '../report-error.ts';
import { formatPairs, formatTable } from '../table.ts';

/** As far as a Date goes, in either direction from 1970. */
const TIME_MS_MAX = 8.64e15;

const FILES = 'LTX files, or - for standard input';

const DUMP_HELP = `
Examples:
  skein ltx dump 0000000000000001-0000000000000001.ltx
  skein ltx dump --pages --json - < some.ltx | jq '.pages | length'`;

const VERIFY_HELP = `
Exit code 1 when a file is damaged or cannot be read; each such file is named, with the offset.

Examples:
  skein ltx verify /var/lib/litefs/dbs/app.db/ltx/*.ltx
  ssh host cat some.ltx | skein ltx verify -`;

interface DumpFlags {
  readonly pages: boolean;
  readonly json: boolean;
}

export function addLtx(program: Command, context: CommandContext): void {
  const ltx = program
    .command('ltx')
    .summary('look into LTX files')
    .description('Looks into LTX files: transactions as LiteFS and Litestream write them.');
  ltx
    .command('dump')
    .summary('show header, trailer and pages')
    .description('Shows what LTX files say, and verifies them.')
    .argument('<files...>', FILES)
    .option('--pages', 'the pages as well', false)
    .option('--json', 'as JSON, one line a file', false)
    .addHelpText('after', DUMP_HELP)
    .action((files: string[], flags: DumpFlags) =>
      eachFile(context, files, (file) => {
        const pages: LtxPageLine[] = [];
        const onPage = flags.pages ? (page: LtxPageLine) => pages.push(page) : undefined;
        const summary = inspectLtxFile(file, onPage);
        const description = { file, ...describe(summary), ...(flags.pages ? { pages } : {}) };
        return flags.json ? `${JSON.stringify(description)}\n` : draw(description);
      }),
    );
  ltx
    .command('verify')
    .summary('verify files from beginning to end')
    .description('Verifies LTX files from beginning to end: structure, order, checksums, name.')
    .argument('<files...>', FILES)
    .option('-q, --quiet', 'say nothing of files that are in order', false)
    .addHelpText('after', VERIFY_HELP)
    .action((files: string[], { quiet }: { readonly quiet: boolean }) =>
      eachFile(context, files, (file) => {
        const { version, header, pageCount, sizeBytes } = inspectLtxFile(file);
        const range = `${formatTxid(header.minTxid)}-${formatTxid(header.maxTxid)}`;
        const pages = formatCount(pageCount, 'page');
        const content = `V${version}, ${range}, ${pages}, ${formatSize(sizeBytes)}`;
        return quiet ? '' : `${file}: ok, ${content}\n`;
      }),
    );
}

/** Goes on behind a file that is damaged; the exit code remembers. */
function eachFile(
  context: CommandContext,
  files: readonly string[],
  show: (file: string) => string,
): void {
  for (const file of files) {
    try {
      context.stdout.write(show(file));
    } catch (error) {
      if (!(error instanceof LtxFormatError) && !(error instanceof FileError)) throw error;
      const what = error instanceof LtxFormatError ? `${file}: ${error.code}: ` : '';
      context.stderr.write(`${what}${error.message}\n`);
      context.exitCode = EXIT_CODE.failed;
    }
  }
}

type Description = ReturnType<typeof describe> & {
  readonly file: string;
  readonly pages?: readonly LtxPageLine[];
};

function describe({ version, header, trailer, pageCount, sizeBytes }: LtxSummary) {
  return {
    version,
    isSnapshot: isSnapshot(header),
    isCompressed: version === 3 || (header.flags & FLAG_LZ4) !== 0,
    pageSize: header.pageSize,
    commit: header.commit,
    minTxid: formatTxid(header.minTxid),
    maxTxid: formatTxid(header.maxTxid),
    time: formatTime(header.timestampMs),
    preApplyChecksum: formatChecksum(header.preApplyChecksum),
    postApplyChecksum: formatChecksum(trailer.postApplyChecksum),
    fileChecksum: formatChecksum(trailer.fileChecksum),
    walOffset: header.walOffset,
    walSize: header.walSize,
    walSalt1: header.walSalt1,
    walSalt2: header.walSalt2,
    nodeId: formatHex64(header.nodeId).toUpperCase(),
    pageCount,
    sizeBytes,
  };
}

/** A file may say a time that no calendar has. */
function formatTime(ms: number): string {
  return Math.abs(ms) <= TIME_MS_MAX ? new Date(ms).toISOString() : `${ms} ms`;
}

function draw({ pages, ...fields }: Description): string {
  const text = formatPairs(Object.entries(fields).map(([name, value]) => [name, String(value)]));
  if (pages === undefined) return `${text}\n`;
  const columns = [
    { title: 'PAGE', isNumber: true },
    { title: 'OFFSET', isNumber: true },
    { title: 'CHECKSUM' },
  ];
  const rows = pages.map((page) => [String(page.pgno), String(page.offset), page.checksum]);
  return `${text}\n${formatTable(columns, rows)}\n`;
}
