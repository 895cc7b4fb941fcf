// Messages to stderr, one line each: text for people, JSON for machines.
//
// Works from any thread: a line is one write, past Node's own streams, which in a worker only move
// when the main thread's event loop turns. It never throws and never waits for long: a node whose
// stderr is full or gone goes on serving, without the line.

import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';

import { type Clock, systemClock } from './clock.ts';
import { systemErrorCode } from './errors.ts';
import type { Log, LogFields, LogLevel } from './log.ts';

export type LogFormat = 'text' | 'json';

export interface NodeLogOptions {
  /** The least level that is written. Default "info". */
  readonly level?: LogLevel;
  readonly format?: LogFormat;
  /** Default: where `fd` is a terminal and NO_COLOR is not set. */
  readonly isColoured?: boolean;
  /** Default 2, stderr. */
  readonly fd?: number;
  readonly clock?: Clock;
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Fields whose names contain one of these lose their value, whoever passes them. */
const SECRET_NAMES: readonly string[] = [
  'authorization',
  'cookie',
  'credential',
  'passphrase',
  'password',
  'secret',
  'token',
];

/** A line that does not fit into a full pipe is tried again so often, a millisecond apart. */
const WRITE_ATTEMPTS_MAX = 10;

const ESCAPE = '\u001B[';
const COLOURS: Readonly<Record<LogLevel, string>> = {
  debug: `${ESCAPE}2m`,
  info: `${ESCAPE}32m`,
  warn: `${ESCAPE}33m`,
  error: `${ESCAPE}31m`,
};
const COLOUR_END = `${ESCAPE}0m`;

interface Line {
  readonly timeMs: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

export function createNodeLog(options: NodeLogOptions = {}): Log {
  const fd = options.fd ?? 2;
  const clock = options.clock ?? systemClock;
  const minRank = LEVELS.indexOf(options.level ?? 'info');
  const isColoured = options.isColoured ?? (isatty(fd) && process.env['NO_COLOR'] === undefined);
  const render = options.format === 'json' ? renderJson : renderText(isColoured);

  const createLog = (shared: LogFields): Log => {
    const at = (level: LogLevel): Log[LogLevel] => {
      if (LEVELS.indexOf(level) < minRank) return () => {};
      return (message, fields) => {
        const all = redact({ ...shared, ...fields });
        writeLine(fd, render({ timeMs: clock.wallMs(), level, message, fields: all }));
      };
    };
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      with: (fields) => createLog({ ...shared, ...fields }),
    };
  };
  return createLog({});
}

function redact(fields: LogFields): LogFields {
  const entries = Object.entries(fields).map(([name, value]) => {
    const isSecret = SECRET_NAMES.some((secret) => name.toLowerCase().includes(secret));
    return [name, isSecret && value !== undefined ? '[redacted]' : value] as const;
  });
  return Object.fromEntries(entries);
}

/** `2026-01-01T00:00:00.000Z WARN  Disk is full path=/data database="my app.db"` */
function renderText(isColoured: boolean): (line: Line) => string {
  return ({ timeMs, level, message, fields }) => {
    const label = level.toUpperCase().padEnd(5);
    const shownLabel = isColoured ? `${COLOURS[level]}${label}${COLOUR_END}` : label;
    const pairs = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => ` ${name}=${quoteIfNeeded(String(value))}`);
    const time = new Date(timeMs).toISOString();
    return `${time} ${shownLabel} ${escapeControls(message)}${pairs.join('')}`;
  };
}

function renderJson({ timeMs, level, message, fields }: Line): string {
  const line: Record<string, unknown> = { time: new Date(timeMs).toISOString(), level, message };
  for (const [name, value] of Object.entries(fields)) {
    // What the line itself is made of cannot be overwritten by a field of the same name.
    line[name in line ? `${name}_` : name] = typeof value === 'bigint' ? String(value) : value;
  }
  return JSON.stringify(line);
}

function quoteIfNeeded(value: string): string {
  return /^[^\s"=\p{Cc}]+$/u.test(value) ? value : escapeControls(JSON.stringify(value));
}

/** Keeps a message on its line, and a terminal from obeying what it is shown. */
function escapeControls(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (control) => {
    const code = control.charCodeAt(0).toString(16).padStart(4, '0');
    return control === '\n' ? '\\n' : `\\u${code}`;
  });
}

function writeLine(fd: number, line: string): void {
  const bytes = Buffer.from(`${line}\n`);
  let done = 0;
  for (let attempt = 0; done < bytes.length && attempt < WRITE_ATTEMPTS_MAX; attempt += 1) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      // Whoever reads may have gone (EPIPE), which is no reason to stop.
      if (systemErrorCode(error) !== 'EAGAIN') return;
      sleep(1);
    }
  }
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
