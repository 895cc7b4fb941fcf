// What the client wants its result in: a format by `?format=` or Accept, a compression by
// Accept-Encoding. The extension of a path says nothing: Seafowl's clients ask for `.csv` and
// expect JSON lines.

import { badRequest } from './errors.ts';
import type { FormatName } from './formats/result-format.ts';

export type Encoding = 'identity' | 'gzip' | 'br' | 'zstd';

const FORMATS: readonly FormatName[] = ['json', 'csv', 'arrow', 'parquet'];

const MEDIA_TYPES: Readonly<Record<string, FormatName>> = {
  'application/json': 'json',
  'application/x-ndjson': 'json',
  'application/jsonl': 'json',
  'text/csv': 'csv',
  'application/vnd.apache.arrow.stream': 'arrow',
  'application/vnd.apache.parquet': 'parquet',
};

/** The best first: what costs least for what it saves. */
const ENCODINGS: readonly Encoding[] = ['zstd', 'br', 'gzip'];

/** Throws LakeHttpError for a format that there is not. What Accept does not know is JSON lines. */
export function formatOf(parameter: string | null, accept: string | undefined): FormatName {
  if (parameter !== null) {
    const found = FORMATS.find((name) => name === parameter.toLowerCase());
    if (found !== undefined) return found;
    throw badRequest(`There is no format ${JSON.stringify(parameter)}: ${FORMATS.join(', ')}`);
  }
  const wanted = qualities(accept).find(([type]) => MEDIA_TYPES[type] !== undefined);
  return wanted === undefined ? 'json' : MEDIA_TYPES[wanted[0]]!;
}

export function encodingOf(acceptEncoding: string | undefined): Encoding {
  const wanted = qualities(acceptEncoding);
  const best = wanted[0]?.[1] ?? 0;
  const accepted = new Set(wanted.filter(([, quality]) => quality === best).map(([name]) => name));
  return ENCODINGS.find((name) => accepted.has(name)) ?? 'identity';
}

/** Names with their quality, the most wanted first; what is not wanted at all is left out. */
function qualities(header: string | undefined): (readonly [string, number])[] {
  if (header === undefined) return [];
  return header
    .split(',')
    .map((each) => {
      const [name = '', ...parameters] = each.split(';').map((part) => part.trim().toLowerCase());
      const quality = parameters.find((parameter) => parameter.startsWith('q='));
      return [name, quality === undefined ? 1 : Number(quality.slice(2))] as const;
    })
    .filter(([, quality]) => quality > 0)
    .sort(([, a], [, b]) => b - a);
}
