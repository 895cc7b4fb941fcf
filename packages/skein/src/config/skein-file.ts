// What may stand in skein.yml.

import type { ConfigDraft } from './draft.ts';
import { ConfigError } from './errors.ts';
import { readExec } from './exec.ts';
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
  readonly segmentSize: (text: string) => number;
  readonly memorySize: (text: string) => number;
  readonly logFormat: (text: string) => 'text' | 'json';
  readonly logLevel: (text: string) => 'debug' | 'info' | 'warn' | 'error';
} = {
  path: parseText,
  passthrough: choice('auto', 'off'),
  stayAwake: choice('auto', 'on', 'off'),
  // As many as a mask of pinThreadToCpu() has.
  cpu: wholeNumber(0, 1023),
  retention: durationUpTo('3650d'),
  // Positions in a segment, and what it takes to read one at the start, stay within reason.
  segmentSize: sizeBetween('64KiB', '1GiB'),
  memorySize: sizeBetween('64KiB', '64GiB'),
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
    'segment-size': scalar(READ.segmentSize),
    'checkpoint-size': scalar(READ.memorySize),
  }),
  http: section({
    address: scalar(parseAddress),
    secret: scalar(parseSecret),
    'secret-file': scalar(READ.path),
    insecure: scalar(parseBoolean),
  }),
  exec: anything((value) => readExec(value, ['cmd']).map(({ command }) => command)),
  log: section({ format: scalar(READ.logFormat), level: scalar(READ.logLevel) }),
});

export function readSkeinFile(source: string, file: YamlFile): ConfigDraft {
  const { mount, data, http, exec, log } = readShape(source, file, SCHEMA);
  if (http?.secret !== undefined && http['secret-file'] !== undefined) {
    const line = file.lineOf(['http', 'secret-file']);
    const message = 'there is http.secret as well: say one of them';
    throw new ConfigError([{ source, line, key: 'http.secret-file', message }]);
  }
  return {
    mountpoint: mount?.path,
    allowOther: mount?.['allow-other'],
    passthrough: mount?.passthrough,
    stayAwake: mount?.['stay-awake'],
    pinCpu: mount?.['pin-cpu'],
    overlayBytes: mount?.['overlay-size'],
    dataFolder: data?.path,
    retentionMs: data?.retention,
    segmentBytes: data?.['segment-size'],
    checkpointBytes: data?.['checkpoint-size'],
    httpAddress: http?.address,
    httpSecret: http?.secret,
    httpSecretFile: http?.['secret-file'],
    httpIsInsecure: http?.insecure,
    exec,
    logFormat: log?.format,
    logLevel: log?.level,
  };
}
