// A log that keeps what it is told, for tests that assert on messages.

import assert from 'node:assert/strict';

import type { Log, LogFields, LogLevel } from '@skein/host';

export interface LogEntry {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

export class RecordingLog implements Log {
  /** Everything logged so far, oldest first; shared with the logs made by `with`. */
  readonly entries: LogEntry[];
  readonly #fields: LogFields;

  constructor(fields: LogFields = {}, entries: LogEntry[] = []) {
    this.entries = entries;
    this.#fields = fields;
  }

  debug(message: string, fields?: LogFields): void {
    this.#record('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#record('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#record('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#record('error', message, fields);
  }

  with(fields: LogFields): Log {
    return new RecordingLog({ ...this.#fields, ...fields }, this.entries);
  }

  /** The only entry of that level that matches; fails the test if there is none or several. */
  expectOne(level: LogLevel, pattern: RegExp): LogEntry {
    const found = this.entries.filter((entry) => entry.level === level);
    const matching = found.filter((entry) => pattern.test(entry.message));
    assert.equal(matching.length, 1, `${level} ${pattern} in ${describeEntries(this.entries)}`);
    return matching[0]!;
  }

  /** Fails the test if anything of that level was logged. */
  expectNone(level: LogLevel): void {
    const found = this.entries.filter((entry) => entry.level === level);
    assert.equal(found.length, 0, `Unexpected ${level}: ${describeEntries(found)}`);
  }

  #record(level: LogLevel, message: string, fields: LogFields = {}): void {
    this.entries.push({ level, message, fields: { ...this.#fields, ...fields } });
  }
}

function describeEntries(entries: readonly LogEntry[]): string {
  const lines = entries.map(({ level, message }) => `\n  ${level} ${message}`);
  return lines.length === 0 ? 'an empty log' : lines.join('');
}
