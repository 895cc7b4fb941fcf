// How one kind of client process is started, asked and understood.

import type { ChildOutput } from './client-child.ts';
import type { SqlValue } from './sql-value.ts';

export interface OpenOptions {
  readonly path: string;
  readonly isReadOnly: boolean;
  readonly busyTimeoutMs: number;
}

/** `Value` is SqlValue, or what stands for it on the way to the client. */
export type ClientRequest<Value> =
  | ({ readonly command: 'open' } & OpenOptions)
  | { readonly command: 'exec'; readonly sql: string; readonly params: readonly Value[] }
  | { readonly command: 'close' };

export interface ClientProtocol {
  readonly command: readonly string[];
  /** What to write to the client's stdin. */
  encode(request: ClientRequest<SqlValue>): string;
  /** The rows; undefined while the answer is incomplete. Throws SqliteError if SQLite refused. */
  decode(output: ChildOutput): SqlValue[][] | undefined;
}
