// Errors of SQLite, told in terms of the node where they are about the node.
//
// SQLite knows no primary: a replica's refusal is a file that cannot be written, and a daemon that
// dies is a broken disk. What a caller has to know is whether anything was executed.

import { maybeSqliteCode } from '../drivers/driver.ts';
import {
  FencedError,
  NoPrimaryError,
  NotPrimaryError,
  OutcomeUnknownError,
  type SkeinError,
} from '../errors.ts';
import type { NodeState, NodeView } from '../node-view.ts';

/** What was being done when an error came. */
export interface Work {
  readonly node: NodeView;
  /** Whether the handle was opened for reading alone. */
  readonly isReadonly: boolean;
  /** Whether it can have been a commit: false where a transaction went on, or nothing changed. */
  readonly mayHaveCommitted: boolean;
  /** Whether it wanted to change anything. */
  readonly isWrite: boolean;
}

/** The error to be thrown in place of `error`. */
export function translate(error: unknown, work: Work): unknown {
  const code = maybeSqliteCode(error);
  if (code === undefined) return error;
  if (code.startsWith('SQLITE_READONLY')) return refusalFor(work, error) ?? error;
  if (!work.isWrite) return error;
  // A journal that cannot be made: how SQLite meets a replica in a rollback mode.
  if (code.startsWith('SQLITE_CANTOPEN')) return refusalFor(work, error) ?? error;
  if (!code.startsWith('SQLITE_IOERR')) return error;
  if (work.mayHaveCommitted) return new OutcomeUnknownError(error);
  return refusalFor(work, error) ?? error;
}

/** Why the node takes no writes; undefined: it does, as far as it says. */
function refusalFor({ node, isReadonly }: Work, cause: unknown): SkeinError | undefined {
  // The handle may be of a moment ago, and so may be what is known of the node.
  const refusal = refusalOf(isReadonly ? node.state : node.roleNow(), cause);
  // It has become primary since the handle was opened; the next use opens another one.
  return refusal ?? (isReadonly ? new NotPrimaryError(undefined, cause) : undefined);
}

/** Undefined: a node of this role takes writes. */
export function refusalOf(
  { role, primary }: Pick<NodeState, 'role' | 'primary'>,
  cause: unknown,
): SkeinError | undefined {
  switch (role) {
    case 'replica':
      return new NotPrimaryError(primary, cause);
    case 'no-primary':
      return new NoPrimaryError(cause);
    case 'fenced':
      return new FencedError(cause);
    case 'primary':
      return undefined;
  }
}
