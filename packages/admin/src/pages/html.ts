// HTML as all pages make it: what is put into a template is escaped, unless it is HTML itself.

import { html } from 'hono/html';

export { html };

export type Html = ReturnType<typeof html>;

export const NOTHING: Html = html``;

/** "1 row", "2 rows". */
export function countOf(count: number, one: string, many: string): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

/** A moment in words that sort and that everybody reads the same. */
function formatMoment(atMs: number): string {
  const date = new Date(atMs);
  if (Number.isNaN(date.getTime())) return String(atMs);
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

export function moment(atMs: number): Html {
  const date = new Date(atMs);
  if (Number.isNaN(date.getTime())) return html`${String(atMs)}`;
  return html`<time datetime="${date.toISOString()}">${formatMoment(atMs)}</time>`;
}
