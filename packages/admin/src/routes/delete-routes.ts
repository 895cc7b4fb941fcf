// Deleting rows, one or many: a page that asks, and the transaction that does it.

import { attempt } from '../database/handle.ts';
import type { Table } from '../database/schema.ts';
import { sqliteFailure } from '../database/sqlite-errors.ts';
import type { FormBody } from '../http/form-body.ts';
import { badRequest, notFound } from '../http/refusals.ts';
import { done, page, type Reply } from '../http/reply.ts';
import type { Member } from '../http/site-context.ts';
import { humanName } from '../model/kinds.ts';
import { deletePage } from '../pages/delete-page.ts';
import { rowTitle } from '../pages/history-page.ts';
import { formatCount } from '../pages/home-page.ts';
import { countOf } from '../pages/html.ts';
import { type Dependent, readDependents } from '../query/dependents.ts';
import { rowLabel } from '../query/labels.ts';
import { deleteRow, maybeReadRow, type Row } from '../query/row.ts';
import type { Change } from '../store/history.ts';
import { logChange } from './row-routes.ts';

/** More than a page of a list has. */
const KEYS_MAX = 200;

export function askDelete(member: Member, table: Table): Reply {
  const keys = member.url.searchParams.getAll('key');
  if (keys.length === 0) return badRequest(member, 'No row was chosen');
  if (keys.length > KEYS_MAX) return badRequest(member, 'These are too many rows at once');
  const rows = readRows(member, table, keys);
  if (rows.length === 0) return notFound(member, 'There is no such row: it may have been deleted');
  return question(member, table, { rows, problem: undefined, status: 200 });
}

interface Question {
  readonly rows: readonly Row[];
  readonly problem: string | undefined;
  readonly status: number;
}

function question(member: Member, table: Table, { rows, problem, status }: Question): Reply {
  const { database, schema } = member;
  const keys = rows.map(({ key }) => key);
  const dependents = readDependents(database, schema, table, keys);
  const named = keys.map((key) => ({ key, label: rowTitle(rowLabel(database, table, key), key) }));
  return page(deletePage(member, { table, rows: named, dependents, problem }), status);
}

/** Those that are there, each once. */
function readRows({ database }: Member, table: Table, keys: readonly string[]): Row[] {
  return [...new Set(keys)].flatMap((key) => maybeReadRow(database, table, key) ?? []);
}

export function deleteRows(member: Member, table: Table, form: FormBody): Reply {
  const keys = form.all('key');
  if (keys.length > KEYS_MAX) return badRequest(member, 'These are too many rows at once');
  const { database, site } = member;
  const rows = readRows(member, table, keys);
  const to = site.addresses.table(table.name);
  if (rows.length === 0) return done(member, to, 'Nothing was deleted: the rows are gone already');
  return attempt(
    database,
    () => {
      for (const row of rows) deleteOne(member, table, row);
      const what = countOf(rows.length, 'row', 'rows');
      return done(member, to, `${what} of ${humanName(table.name)} deleted`);
    },
    (error) => {
      if (sqliteFailure(error) !== 'constraint' || !(error instanceof Error)) throw error;
      const problem = `Nothing was deleted. The database refused it: ${error.message}`;
      return question(member, table, { rows, problem, status: 409 });
    },
  );
}

function deleteOne(member: Member, table: Table, row: Row): void {
  const { database, schema } = member;
  // It may have gone with one before it.
  if (maybeReadRow(database, table, row.key) === undefined) return;
  const { dependents } = readDependents(database, schema, table, [row.key]);
  const further = cascades(dependents);
  logChange(member, { table, action: 'delete', before: row, after: undefined, further });
  deleteRow(database, table, row.key);
}

/** The rows that SQLite deletes with it, in one line for each table. */
function cascades(dependents: readonly Dependent[]): Change[] {
  return dependents
    .filter(({ action }) => action === 'CASCADE')
    .flatMap(({ table, columns, rows, dependents }) => [
      { column: `${table.name}.${columns.join('+')}`, before: formatCount(rows), after: undefined },
      ...cascades(dependents),
    ]);
}
