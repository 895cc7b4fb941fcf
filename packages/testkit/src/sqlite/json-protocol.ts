// The protocol of python-client.py and node-client.ts: a line of JSON for each request, and one for
// its answer.

import type { ClientProtocol, ClientRequest } from './client-protocol.ts';
import { decodeSqlValue, encodeSqlValue, type JsonSqlValue } from './sql-value.ts';
import { SqliteError } from './sqlite-error.ts';

export type JsonRequest = ClientRequest<JsonSqlValue>;

export type JsonResponse =
  | { readonly rows: readonly (readonly JsonSqlValue[])[] }
  | { readonly error: { readonly code: string; readonly message: string } };

export function createJsonProtocol(command: readonly string[]): ClientProtocol {
  return {
    command,
    encode: (request) => {
      const encoded: JsonRequest =
        request.command === 'exec'
          ? { ...request, params: request.params.map(encodeSqlValue) }
          : request;
      return `${JSON.stringify(encoded)}\n`;
    },
    decode: ({ stdout }) => {
      if (!stdout.endsWith('\n')) return undefined;
      const response = JSON.parse(stdout) as JsonResponse;
      if ('error' in response) {
        throw new SqliteError(response.error.code, response.error.message);
      }
      return response.rows.map((row) => row.map(decodeSqlValue));
    },
  };
}
