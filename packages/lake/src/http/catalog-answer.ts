// GET /catalog: schemas, tables, columns and versions, as JSON. For the page's completion and its
// list of tables.

import type { CatalogDescription } from '../engine/ports.ts';

export function catalogJson({ snapshot, schemas }: CatalogDescription): string {
  const value = { snapshot: snapshot.id, schemas };
  // Numbers of snapshots stay far below 2^53.
  return `${JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? Number(each) : each))}\n`;
}
