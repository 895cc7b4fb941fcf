// Writing rows: add and change. Each is one transaction with its entry in the history.
//
// A change is refused where the row is not what the form was made of: the form comes back with both
// values, and who sends it again has seen them.

import type { SqlValue } from '../database/handle.ts';
import { attempt } from '../database/handle.ts';
import type { Table } from '../database/schema.ts';
import { refusedColumns, sqliteFailure } from '../database/sqlite-errors.ts';
import type { FormBody } from '../http/form-body.ts';
import { notFound } from '../http/refusals.ts';
import { done, type Reply } from '../http/reply.ts';
import { actorOf, type Member } from '../http/site-context.ts';
import { humanName } from '../model/kinds.ts';
import { type Form, normalizeLines, parseField, VALUE_PREFIX } from '../model/parse-form.ts';
import type { Conflict } from '../pages/row-page.ts';
import { keyLabel, rowLabel } from '../query/labels.ts';
import {
  type Assignments,
  changedSince,
  insertRow,
  isDigestOf,
  maybeReadRow,
  type Row,
  updateRow,
} from '../query/row.ts';
import { type Change, logAction, loggedValue } from '../store/history.ts';
import { type Described, describeFields, rowReply } from './row-view.ts';

export function showAdd(member: Member, table: Table): Reply {
  return rowReply(member, { table, row: undefined });
}

export function showRow(member: Member, table: Table, key: string): Reply {
  const row = maybeReadRow(member.database, table, key);
  return row === undefined ? noSuchRow(member) : rowReply(member, { table, row });
}

function noSuchRow(member: Member): Reply {
  return notFound(member, 'There is no such row: it may have been deleted');
}

/** Unprocessable: it was understood, and is wrong (RFC 9110, section 15.5.21). */
const WRONG = 422;
const CONFLICT = 409;

export function addRow(member: Member, table: Table, { fields: form }: FormBody): Reply {
  const described: Described = { table, row: undefined };
  const parsed = parseFields(described, form);
  if (parsed.problems.size > 0) {
    return rowReply(member, described, { status: WRONG, form, problems: parsed.problems });
  }
  const { database } = member;
  return attempt(
    database,
    () => {
      const key = insertRow(database, table, parsed.assignments);
      const row = key === undefined ? undefined : maybeReadRow(database, table, key);
      logChange(member, { table, action: 'add', before: undefined, after: row });
      return saved(member, { table, form, key, word: 'was added' });
    },
    (error) => refused(member, described, { form, error }),
  );
}

export function changeRow(
  member: Member,
  { table, key }: { readonly table: Table; readonly key: string },
  { fields: form }: FormBody,
): Reply {
  const { database } = member;
  const row = maybeReadRow(database, table, key);
  if (row === undefined) return noSuchRow(member);
  const described: Described = { table, row };
  const parsed = parseFields(described, form);
  const seen = String(form.get('seen') ?? '').split(',');
  const changed = changedSince(table, row, seen);
  if (changed.length > 0) return conflict(member, described, { form, seen, changed });
  if (parsed.problems.size > 0) {
    return rowReply(member, described, { status: WRONG, form, problems: parsed.problems });
  }
  if (parsed.assignments.size === 0) {
    return saved(member, { table, form, key, word: 'is as it was' });
  }
  return attempt(
    database,
    () => {
      const newKey = updateRow(database, table, key, parsed.assignments) ?? key;
      const after = maybeReadRow(database, table, newKey);
      logChange(member, { table, action: 'change', before: row, after });
      return saved(member, { table, form, key: newKey, word: 'was changed' });
    },
    (error) => refused(member, described, { form, error }),
  );
}

interface Parsed {
  readonly assignments: Assignments;
  readonly problems: ReadonlyMap<string, string>;
}

function parseFields(described: Described, form: Form): Parsed {
  const assignments = new Map<string, SqlValue>();
  const problems = new Map<string, string>();
  for (const field of describeFields(described)) {
    const { name } = field.column;
    const parsed = parseField(field, form, described.row?.cells.get(name));
    if (parsed.kind === 'set') assignments.set(name, parsed.value);
    if (parsed.kind === 'wrong') problems.set(name, parsed.problem);
  }
  return { assignments, problems };
}

interface Overtaken {
  readonly form: Form;
  readonly seen: readonly string[];
  readonly changed: readonly string[];
}

/** What the user did not touch is shown as it is now, so that sending again does not undo it. */
function conflict(member: Member, described: Described, overtaken: Overtaken): Reply {
  const { form, seen, changed } = overtaken;
  const { row } = described;
  const fields = describeFields(described);
  const untyped = new Set<string>();
  const conflicts = changed.map((column): Conflict => {
    const i = fields.findIndex((field) => field.column.name === column);
    const typed = form.get(VALUE_PREFIX + column);
    // A box that is not ticked is not sent.
    const unsent = fields[i]!.control === 'checkbox' ? '0' : undefined;
    const text = typeof typed === 'string' ? normalizeLines(typed) : unsent;
    const wanted = text === undefined || isDigestOf(text, seen[i] ?? '') ? undefined : text;
    if (wanted === undefined) untyped.add(column);
    return { column, now: row!.cells.get(column)!, wanted };
  });
  return rowReply(member, described, {
    status: CONFLICT,
    form,
    problem: 'The row was not saved: it has changed since you opened it',
    conflicts,
    untyped,
  });
}

interface Refused {
  readonly form: Form;
  readonly error: unknown;
}

/** What SQLite does not let in is a wrong form; everything else is for the caller. */
function refused(member: Member, described: Described, { form, error }: Refused): Reply {
  const failure = sqliteFailure(error);
  const isForm = failure === 'constraint' || failure === 'mismatch' || failure === 'too-big';
  if (!isForm || !(error instanceof Error)) throw error;
  const columns = refusedColumns(error.message, described.table.name);
  const isUnique = error.message.startsWith('UNIQUE');
  const problem = isUnique ? 'There is a row with this value already' : error.message;
  return rowReply(member, described, {
    status: WRONG,
    form,
    problem: `The database refused it: ${error.message}`,
    problems: new Map(columns.map((column) => [column, problem])),
  });
}

interface Logged {
  readonly table: Table;
  readonly action: 'add' | 'change' | 'delete';
  readonly before: Row | undefined;
  readonly after: Row | undefined;
  /** What was deleted with it. */
  readonly further?: readonly Change[];
}

export function logChange(member: Member, logged: Logged): void {
  const { table, action, before, after } = logged;
  const changes = table.columns.flatMap(({ name }, i): Change[] => {
    if (before?.digests[i] === after?.digests[i]) return [];
    const [old, now] = [before?.cells.get(name), after?.cells.get(name)];
    return [{ column: name, before: old && loggedValue(old), after: now && loggedValue(now) }];
  });
  const key = (after ?? before)?.key ?? '';
  logAction(member.database, actorOf(member), {
    action,
    table: table.name,
    key,
    label: rowLabel(member.database, table, key),
    changes: [...changes, ...(logged.further ?? [])],
  });
}

interface Saved {
  readonly table: Table;
  readonly form: Form;
  /** Undefined for a row that cannot be named in an address. */
  readonly key: string | undefined;
  readonly word: string;
}

/** To where the pressed button says. */
function saved(member: Member, { table, form, key, word }: Saved): Reply {
  const { addresses } = member.site;
  const name = key === undefined ? 'The row' : `${humanName(table.name)} ${keyLabel(key)}`;
  const afterwards = form.get('afterwards');
  const to =
    afterwards === 'add'
      ? addresses.add(table.name)
      : afterwards === 'stay' && key !== undefined
        ? addresses.row(table.name, key)
        : addresses.table(table.name);
  return done(member, to, `${name} ${word}`);
}
