// The fields of a database header that somebody below SQL looks at
// (https://sqlite.org/fileformat2.html, section 1.3).

export interface HeaderFields {
  readonly pageCount: number;
  readonly changeCounter: number;
  readonly mode: 'rollback' | 'wal';
}

const MAGIC = new TextEncoder().encode('SQLite format 3\0');

/** Writes a header over the first 100 bytes of the first page. */
export function encodeDatabaseHeader(page: Uint8Array, fields: HeaderFields): void {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const version = fields.mode === 'wal' ? 2 : 1;
  page.fill(0, 0, 100);
  page.set(MAGIC);
  view.setUint16(16, page.length === 65_536 ? 1 : page.length);
  page.set([version, version, 0, 64, 32, 32], 18);
  view.setUint32(24, fields.changeCounter);
  view.setUint32(28, fields.pageCount);
  view.setUint32(40, 1);
  view.setUint32(44, 4);
  view.setUint32(56, 1);
  view.setUint32(92, fields.changeCounter);
  view.setUint32(96, 3_050_000);
}
