// A result as a table. Only the rows that are seen are in the document, so fifty thousand of them
// scroll as well as fifty.

import { type Column } from './columns.ts';
import { make } from './dom.ts';
import { formatCell } from './format.ts';
import type { Row } from './json-lines.ts';

/** As in results.css. */
const ROW_HEIGHT = 28;
/** Rows that are made beyond those that are seen, above and below. */
const MARGIN_ROWS = 12;
/** Rows that are looked at for the widths of columns. */
const SAMPLE_ROWS = 200;
const WIDTH_MIN_CH = 6;
const WIDTH_MAX_CH = 44;
/** Letters of the head are wider than those of the rows. */
const HEAD_WIDTH = 1.2;
/** For the padding of a cell, and the mark of a sorted column. */
const WIDTH_EXTRA_CH = 4;

interface Order {
  readonly column: number;
  readonly isDescending: boolean;
}

export class ResultsTable {
  readonly #parent: HTMLElement;
  #columns: readonly Column[] = [];
  #rows: readonly Row[] = [];
  #sorted: readonly Row[] = [];
  #order: Order | undefined;
  #body = make('div', {});

  constructor(parent: HTMLElement) {
    this.#parent = parent;
    parent.addEventListener('scroll', () => this.#drawRows());
    new ResizeObserver(() => this.#drawRows()).observe(parent);
  }

  show(columns: readonly Column[], rows: readonly Row[]): void {
    this.#columns = columns;
    this.#rows = rows;
    this.#sorted = rows;
    this.#order = undefined;
    this.#parent.scrollTo({ top: 0, left: 0 });
    this.#draw();
  }

  message(text: string): void {
    this.#columns = [];
    this.#rows = [];
    this.#sorted = [];
    this.#parent.replaceChildren(make('p', { class: 'empty' }, text));
  }

  #draw(): void {
    const widths = this.#columns.map((column) => `${widthOf(column, this.#rows)}ch`);
    this.#parent.style.setProperty('--columns', widths.join(' '));
    const head = make(
      'div',
      { class: 'head row' },
      ...this.#columns.map((column, index) => this.#headCell(column, index)),
    );
    head.setAttribute('role', 'row');
    this.#body = make('div', { class: 'rows' });
    this.#body.style.height = `${this.#rows.length * ROW_HEIGHT}px`;
    const grid = make('div', { class: 'grid' }, head, this.#body);
    grid.setAttribute('role', 'table');
    grid.setAttribute('aria-rowcount', String(this.#rows.length + 1));
    this.#parent.replaceChildren(grid);
    this.#drawRows();
  }

  #headCell(column: Column, index: number): HTMLElement {
    const isSorted = this.#order?.column === index;
    const mark = isSorted ? (this.#order!.isDescending ? ' ↓' : ' ↑') : '';
    const cell = make(
      'button',
      {
        class: `cell ${column.kind}`,
        title: `${column.name}: ${column.type}. Click to sort`,
        onClick: () => this.#sortBy(index),
      },
      `${column.name}${mark}`,
    );
    cell.setAttribute('role', 'columnheader');
    const direction = this.#order?.isDescending === true ? 'descending' : 'ascending';
    cell.setAttribute('aria-sort', isSorted ? direction : 'none');
    return cell;
  }

  /** Up, down, as it came. */
  #sortBy(column: number): void {
    const before = this.#order?.column === column ? this.#order : undefined;
    if (before?.isDescending === true) this.#order = undefined;
    else this.#order = { column, isDescending: before !== undefined };
    this.#sorted = sortRows(this.#rows, this.#columns, this.#order);
    this.#draw();
  }

  #drawRows(): void {
    if (this.#sorted.length === 0) return;
    const { scrollTop, clientHeight } = this.#parent;
    const first = Math.max(0, Math.floor(scrollTop / ROW_HEIGHT) - MARGIN_ROWS);
    const count = Math.ceil(clientHeight / ROW_HEIGHT) + 2 * MARGIN_ROWS;
    const shown = this.#sorted.slice(first, first + count);
    const rows = shown.map((row, offset) => this.#row(row, first + offset));
    this.#body.replaceChildren(...rows);
  }

  #row(row: Row, index: number): HTMLElement {
    const cells = this.#columns.map(({ name, kind }) => {
      const value = row[name];
      const text = formatCell(value);
      const isNull = value === null || value === undefined;
      const cell = make(
        'div',
        { class: `cell ${kind}${isNull ? ' null' : ''}`, title: text },
        text,
      );
      cell.setAttribute('role', 'cell');
      return cell;
    });
    const element = make('div', { class: index % 2 === 0 ? 'row' : 'row odd' }, ...cells);
    element.style.transform = `translateY(${index * ROW_HEIGHT}px)`;
    element.setAttribute('role', 'row');
    element.setAttribute('aria-rowindex', String(index + 2));
    return element;
  }
}

function widthOf({ name }: Column, rows: readonly Row[]): number {
  const lengths = rows.slice(0, SAMPLE_ROWS).map((row) => formatCell(row[name]).length);
  const head = Math.ceil(name.length * HEAD_WIDTH);
  const longest = Math.max(head, WIDTH_MIN_CH, ...lengths);
  return Math.min(longest, WIDTH_MAX_CH) + WIDTH_EXTRA_CH;
}

function sortRows(
  rows: readonly Row[],
  columns: readonly Column[],
  order: Order | undefined,
): readonly Row[] {
  if (order === undefined) return rows;
  const { name, kind } = columns[order.column]!;
  const sign = order.isDescending ? -1 : 1;
  return rows.toSorted((a, b) => sign * compare(a[name], b[name], kind));
}

/** What is null comes last, as DuckDB has it. */
function compare(a: unknown, b: unknown, kind: Column['kind']): number {
  const [isNullA, isNullB] = [a === null || a === undefined, b === null || b === undefined];
  if (isNullA || isNullB) return Number(isNullA) - Number(isNullB);
  if (kind === 'number') return Number(a) - Number(b);
  const [textA, textB] = [formatCell(a), formatCell(b)];
  return textA < textB ? -1 : Number(textA > textB);
}
