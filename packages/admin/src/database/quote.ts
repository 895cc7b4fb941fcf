// Names in SQL. A name comes from the schema of the database, never from a request; it is quoted
// all the same, since a table may be called anything.

/** A table or a column, as SQL reads it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A pattern for LIKE with ESCAPE '\' that finds `text` anywhere, and nothing but it. */
export function likePattern(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, (special) => `\\${special}`)}%`;
}
