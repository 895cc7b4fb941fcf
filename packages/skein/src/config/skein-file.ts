// What may stand in skein.yml.

import { CLUSTER_SECTION, PROXY_SECTION } from './cluster-section.ts';
import { type ConfigDraft, mergeDrafts } from './draft.ts';
import { ConfigError } from './errors.ts';
import { readExec } from './exec.ts';
import { SQL_SECTION } from './sql-config.ts';
import { SETTING_SHAPE, settingsOf } from './setting-words.ts';
import { anything, keysAndValues, readShape, scalar, section } from './shape.ts';
import {
  choice,
  durationUpTo,
  parseAddress,
  parseBoolean,
  parseSecret,
  parseText,
  sizeBetween,
  wholeNumber,
} from './values.ts';
import type { YamlFile } from './yaml-file.ts';

/** How each value is read, here and on the command line. */
export const READ: {
  readonly path: (text: string) => string;
  readonly passthrough: (text: string) => 'auto' | 'off';
  readonly stayAwake: (text: string) => 'auto' | 'on' | 'off';
  readonly cpu: (text: string) => number;
  readonly retention: (text: string) => number;
  readonly retentionSize: (text: string) => number;
  readonly segmentSize: (text: string) => number;
  readonly memorySize: (text: string) => number;
  readonly walSize: (text: string) => number;
  readonly logFormat: (text: string) => 'text' | 'json';
  readonly logLevel: (text: string) => 'debug' | 'info' | 'warn' | 'error';
} = {
  path: parseText,
  passthrough: choice('auto', 'off'),
  stayAwake: choice('auto', 'on', 'off'),
  // As many as a mask of pinThreadToCpu() has.
  cpu: wholeNumber(0, 1023),
  retention: durationUpTo('3650d'),
  retentionSize: sizeBetween('0', '1024TiB'),
  // Positions in a segment, and what it takes to read one at the start, stay within reason.
  segmentSize: sizeBetween('64KiB', '1GiB'),
  memorySize: sizeBetween('64KiB', '64GiB'),
  walSize: sizeBetween('64KiB', '1024TiB'),
  logFormat: choice('text', 'json'),
  logLevel: choice('debug', 'info', 'warn', 'error'),
};

const SCHEMA = keysAndValues({
  mount: section({
    path: scalar(READ.path),
    'allow-other': scalar(parseBoolean),
    passthrough: scalar(READ.passthrough),
    'stay-awake': scalar(READ.stayAwake),
    'pin-cpu': scalar(READ.cpu),
    'overlay-size': scalar(READ.memorySize),
  }),
  data: section({
    path: scalar(READ.path),
    retention: scalar(READ.retention),
    'retention-size': scalar(READ.retentionSize),
    'segment-size': scalar(READ.segmentSize),
    'checkpoint-size': scalar(READ.memorySize),
    'replica-wal-size': scalar(READ.walSize),
  }),
  http: section({
    address: scalar(parseAddress),
    secret: scalar(parseSecret),
    'secret-file': scalar(READ.path),
    insecure: scalar(parseBoolean),
  }),
  cluster: CLUSTER_SECTION,
  proxy: PROXY_SECTION,
  sql: SQL_SECTION,
  exec: anything((value) => readExec(value, ['cmd']).map(({ command }) => command)),
  log: section({ format: scalar(READ.logFormat), level: scalar(READ.logLevel) }),
  ...SETTING_SHAPE,
});

export function readSkeinFile(source: string, file: YamlFile): ConfigDraft {
  const content = readShape(source, file, SCHEMA);
  const { mount, data, http, cluster, proxy, sql, exec, log } = content;
  checkSaidOnce(source, file, [
    ['http', 'secret', http?.secret, http?.['secret-file']],
    ['cluster', 'secret', cluster?.secret, cluster?.secretFile],
    ['sql', 'token', sql?.token, sql?.tokenFile],
  ]);
  return mergeDrafts(settingsOf(content), {
    mountpoint: mount?.path,
    allowOther: mount?.['allow-other'],
    passthrough: mount?.passthrough,
    stayAwake: mount?.['stay-awake'],
    pinCpu: mount?.['pin-cpu'],
    overlayBytes: mount?.['overlay-size'],
    dataFolder: data?.path,
    retentionMs: data?.retention,
    retentionBytesMax: data?.['retention-size'],
    segmentBytes: data?.['segment-size'],
    checkpointBytes: data?.['checkpoint-size'],
    replicaWalBytesMax: data?.['replica-wal-size'],
    httpAddress: http?.address,
    httpSecret: http?.secret,
    httpSecretFile: http?.['secret-file'],
    httpIsInsecure: http?.insecure,
    cluster,
    proxy,
    sql,
    exec,
    logFormat: log?.format,
    logLevel: log?.level,
  });
}

type Secret = readonly [
  section: string,
  key: string,
  told: string | undefined,
  inFile: string | undefined,
];

/** A secret stands here, or in a file of its own. Throws ConfigError. */
function checkSaidOnce(source: string, file: YamlFile, secrets: readonly Secret[]): void {
  for (const [section, key, told, inFile] of secrets) {
    if (told === undefined || inFile === undefined) continue;
    const fileKey = `${key}-file`;
    const line = file.lineOf([section, fileKey]);
    const message = `there is ${section}.${key} as well: say one of them`;
    throw new ConfigError([{ source, line, key: `${section}.${fileKey}`, message }]);
  }
}
