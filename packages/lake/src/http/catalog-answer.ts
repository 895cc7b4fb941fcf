// GET /catalog: schemas, tables, columns and versions, as JSON. For the page's completion and its
// list of tables.

import type { CatalogDescription } from '../engine/ports.ts';

export function catalogJson({ snapshot, schemas }: CatalogDescription): string {
  const value = { snapshot: snapshot.id, schemas };
  // Numbers of snapshots stay far below 2^53.
  const plain = (_: string, each: unknown): unknown =>
    typeof each === 'bigint' ? Number(each) : each;
  return `${JSON.stringify(value, plain)}\n`;
}
