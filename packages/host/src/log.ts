// Messages for people who run a node. Not to be confused with the log of transactions.

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Values that explain a message. Never a secret, never the content of a database. */
export type LogFields = Readonly<Record<string, string | number | bigint | boolean | undefined>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log with fields that every message carries. */
  with(fields: LogFields): Log;
}
