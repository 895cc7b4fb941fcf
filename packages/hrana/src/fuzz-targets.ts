// What the fuzzer (tools/fuzz.ts) throws its mutations at: everything in this package that reads
// what strangers send. Not part of the package's face.

import { HranaError } from './errors.ts';
import { maybeReadAnswer } from './front/forwarded-text.ts';
import { parseBaton, parsePipeline } from './protocol.ts';
import { outlineOf, statementsOf } from './sql-text.ts';

/** Has the shape that the fuzzer declares, which this package cannot import. */
interface FuzzTarget {
  readonly name: string;
  readonly seeds: () => Uint8Array[];
  readonly decode: (bytes: Uint8Array) => unknown;
  readonly isFormatError: (error: unknown) => boolean;
}

const SQL = `EXPLAIN SELECT ?, ?3, :a, @b, $c::d(e), 'it''s', "x""y", \`z\`, [w] -- comment
  FROM t /* ; */ WHERE 1.5e3 = x'00';
  CREATE TEMP TRIGGER g AFTER INSERT ON t BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; END;`;

const PIPELINE = {
  baton: `1.${'ab'.repeat(16)}.0`,
  requests: [
    { type: 'store_sql', sql_id: 1, sql: 'SELECT 1' },
    {
      type: 'execute',
      stmt: {
        sql: SQL,
        args: [{ type: 'null' }, { type: 'integer', value: '-9223372036854775808' }],
        named_args: [{ name: ':a', value: { type: 'blob', base64: 'AAEC' } }],
        want_rows: true,
      },
    },
    {
      type: 'batch',
      batch: {
        steps: [
          { stmt: { sql_id: 1 } },
          {
            condition: { type: 'and', conds: [{ type: 'not', cond: { type: 'ok', step: 0 } }] },
            stmt: { sql: 'COMMIT', args: [{ type: 'float', value: 1.5 }] },
          },
        ],
      },
    },
    { type: 'close' },
  ],
};

export const fuzzTargets: readonly FuzzTarget[] = [
  {
    name: 'hrana-pipeline',
    seeds: () => [bytesOf(JSON.stringify(PIPELINE))],
    decode: (bytes) => [parsePipeline(textOf(bytes)), parseBaton(textOf(bytes))],
    isFormatError: (error) => error instanceof HranaError,
  },
  {
    name: 'hrana-sql',
    seeds: () => [bytesOf(SQL)],
    decode: (bytes) => statementsOf(textOf(bytes)).map(outlineOf),
    isFormatError: () => false,
  },
  {
    name: 'hrana-answer',
    seeds: () => [
      bytesOf(
        `{"baton":"${PIPELINE.baton}","base_url":null,"results":[` +
          '{"type":"ok","response":{"type":"store_sql"}},{"type":"error","error":{}}]}',
      ),
    ],
    decode: (bytes) => maybeReadAnswer(Buffer.from(bytes), 1),
    isFormatError: () => false,
  },
];

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text));
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}
