// Values as pages show them: NULL is not the empty text, a moment is not a number, and what a text
// contains is never HTML.

import { type Cell, formatSize } from '../database/cells.ts';
import type { Column } from '../database/schema.ts';
import { kindOf } from '../model/kinds.ts';
import type { LoggedValue } from '../store/history.ts';
import { html, type Html, moment } from './html.ts';

/** Seconds since 1970 until the year 5138, and milliseconds from 1973 on. */
const SECONDS_MAX = 100_000_000_000;
/** Smaller numbers are no moments, whatever the column is called. */
const MOMENT_MIN = 100_000_000;

export function showCell(cell: Cell, column: Column): Html {
  switch (cell.kind) {
    case 'null':
      return html`<span class="nothing">NULL</span>`;
    case 'blob':
      return html`<span class="badge">${formatSize(cell.sizeBytes)}</span>`;
    case 'text':
      if (cell.text === '') return html`<span class="nothing">empty</span>`;
      return html`${cell.text}${cell.isCut ? '…' : ''}`;
    case 'real':
      return html`<span class="number">${cell.text}</span>`;
    case 'integer':
      return showInteger(cell.text, column);
  }
}

export function flag(isYes: boolean): Html {
  return html`<span class="flag ${isYes ? 'yes' : ''}">${isYes ? 'Yes' : 'No'}</span>`;
}

function showInteger(text: string, column: Column): Html {
  const kind = kindOf(column);
  if (kind === 'boolean' && (text === '0' || text === '1')) {
    return flag(text === '1');
  }
  const value = Number(text);
  if ((kind === 'epoch' || kind === 'datetime') && Math.abs(value) >= MOMENT_MIN) {
    return moment(Math.abs(value) < SECONDS_MAX ? value * 1000 : value);
  }
  return html`<span class="number">${text}</span>`;
}

export function showLogged(value: LoggedValue | undefined): Html {
  if (value === undefined) return html`<span class="nothing">none</span>`;
  if (value === null) return html`<span class="nothing">NULL</span>`;
  if (typeof value !== 'string') return html`<span class="badge">${formatSize(value.blob)}</span>`;
  return value === '' ? html`<span class="nothing">empty</span>` : html`${value}`;
}
