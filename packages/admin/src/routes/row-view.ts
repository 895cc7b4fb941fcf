// The form of a row with everything around it, read from the database.

import { bindable, type Cell } from '../database/cells.ts';
import { type Column, type Table } from '../database/schema.ts';
import type { Member } from '../http/site-context.ts';
import { describeField, type Field } from '../model/fields.ts';
import { humanName } from '../model/kinds.ts';
import type { Form } from '../model/parse-form.ts';
import type { FieldView } from '../pages/field-control.ts';
import { type Conflict, type Relation, rowPage, type RowView } from '../pages/row-page.ts';
import { quoteName } from '../database/quote.ts';
import { SELECT_ROWS_MAX } from '../query/filter-choices.ts';
import { readChoices, readLabels, rowLabel } from '../query/labels.ts';
import { countRows } from '../query/list-rows.ts';
import type { Row } from '../query/row.ts';
import { page, type PageReply } from '../http/reply.ts';
import { readLog } from '../store/history.ts';

/** Beside a form. */
const ENTRIES = 5;
/** "Many" is enough to know beside a form. */
const RELATED_MAX = 10_000;

/** A form that comes back, with why. */
export interface Returned {
  readonly status: number;
  readonly form: Form;
  readonly problem?: string | undefined;
  readonly problems?: ReadonlyMap<string, string>;
  readonly conflicts?: readonly Conflict[];
  /** Columns whose boxes show what the database has, not what was sent. */
  readonly untyped?: ReadonlySet<string>;
}

export interface Described {
  readonly table: Table;
  /** Undefined for a new row. */
  readonly row: Row | undefined;
}

export function describeFields({ table, row }: Described): Field[] {
  return table.columns.map((column) => describeField(table, column, row?.cells.get(column.name)));
}

export function rowReply(member: Member, described: Described, returned?: Returned): PageReply {
  const { table, row } = described;
  const { database, site } = member;
  const isWritable = site.writable(table) !== undefined;
  const all = describeFields(described);
  // A new row has no value of what is computed.
  const fields = row === undefined ? all.filter(({ column }) => !column.isGenerated) : all;
  const view: RowView = {
    table,
    key: row?.key,
    title:
      row === undefined ? `Add to ${humanName(table.name)}` : rowLabel(database, table, row.key),
    fields: fields.map((field) => fieldView(member, field, { row, returned })),
    digests: row?.digests ?? [],
    problem: returned?.problem,
    conflicts: returned?.conflicts ?? [],
    relations: row === undefined ? [] : relationsOf(member, table, row),
    entries:
      row === undefined ? [] : readLog(database, { table: table.name, key: row.key, max: ENTRIES }),
    isWritable,
  };
  return page(rowPage(member, view), returned?.status ?? 200);
}

function fieldView(
  member: Member,
  field: Field,
  { row, returned }: { readonly row: Row | undefined; readonly returned: Returned | undefined },
): FieldView {
  const { name } = field.column;
  const cell = row?.cells.get(name);
  const isTyped = returned !== undefined && returned.untyped?.has(name) !== true;
  return {
    field,
    cell,
    typed: isTyped ? returned.form : undefined,
    problem: returned?.problems?.get(name),
    ...referenceParts(member, field, cell),
  };
}

function referenceParts(
  { database, schema }: Member,
  { reference, control }: Field,
  cell: Cell | undefined,
): Pick<FieldView, 'options' | 'label'> {
  const none = { options: undefined, label: undefined };
  const target = reference && schema.get(reference.target);
  if (target === undefined || control !== 'reference') return none;
  const place = { table: target, column: reference!.targetColumns[0]! };
  if (!countRows(database, target, [], SELECT_ROWS_MAX).isCut) {
    const options = readChoices(database, place, { search: '', max: SELECT_ROWS_MAX });
    return { options, label: undefined };
  }
  if (cell === undefined || cell.kind === 'null' || cell.kind === 'blob') return none;
  const labels = readLabels(database, place, [bindable(cell)]);
  return { options: undefined, label: labels.get(cell.text) };
}

/** The rows of other tables that refer to this one, as lists. */
function relationsOf({ database, schema, site }: Member, table: Table, row: Row): Relation[] {
  return table.referencedBy.flatMap(({ table: from, columns, targetColumns }): Relation[] => {
    const other = schema.get(from);
    const cell = row.cells.get(targetColumns[0]!);
    const isShown = other !== undefined && site.shownTables(schema).includes(other);
    if (!isShown || columns.length > 1 || cell === undefined) return [];
    if (cell.kind === 'null' || cell.kind === 'blob') return [];
    const name = columns[0]!;
    const condition = { sql: `${quoteName(name)} = ?`, values: [bindable(cell)] };
    const rows = countRows(database, other, [condition], RELATED_MAX);
    const column: Column = other.columns.find((one) => one.name === name)!;
    const query = new URLSearchParams({ [`is.${column.name}`]: `=${cell.text}` }).toString();
    const href = `${site.addresses.table(from)}?${query}`;
    const isOnly = table.referencedBy.filter((key) => key.table === from).length === 1;
    const text = isOnly ? humanName(from) : `${humanName(from)} (${humanName(name)})`;
    return [{ text, href, rows }];
  });
}
