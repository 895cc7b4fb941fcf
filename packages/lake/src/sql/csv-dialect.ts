// How a CSV file is taken apart, for DuckDB's read_csv(): said in full, never guessed.
//
// Left to itself DuckDB looks for the dialect in which most of a file makes sense: it skips lines
// at the top, takes lines with a # for comments, and takes the header from further down. What it
// leaves out is lost without a word. A file that does not fit the dialect is an error instead.

import { quoteText } from './token-cursor.ts';

export interface CsvDialect {
  readonly hasHeader: boolean;
  readonly delimiter?: string | undefined;
  readonly quote?: string | undefined;
  /** What makes a quote within quotes; the quote itself unless it is said. */
  readonly escape?: string | undefined;
  /** Begins a line that is none; without it each line is a row. */
  readonly comment?: string | undefined;
  /** What stands for NULL; an empty field unless it is said. */
  readonly nullText?: string | undefined;
}

/** Arguments of read_csv(). */
export function csvArguments(dialect: CsvDialect): string[] {
  const { delimiter = ',', quote = '"', comment = '', nullText = '' } = dialect;
  return [
    `header = ${dialect.hasHeader}`,
    'skip = 0',
    `delim = ${quoteText(delimiter)}`,
    `quote = ${quoteText(quote)}`,
    `escape = ${quoteText(dialect.escape ?? quote)}`,
    `comment = ${quoteText(comment)}`,
    `nullstr = ${quoteText(nullText)}`,
  ];
}
