// A WASM function as a scalar function of DuckDB. NULL arguments give NULL, without a call.

import { type DuckDBConnection, DuckDBScalarFunction } from '@duckdb/node-api';

import type { FunctionDetails } from '../../sql/function-definition.ts';
import type { WasmHost } from './wasm-host.ts';
import { duckType, fromWasm, toWasm } from './wasm-types.ts';

export interface WasmFunctionOptions {
  readonly name: string;
  readonly details: FunctionDetails;
  readonly host: WasmHost;
}

export function registerWasmFunction(
  connection: DuckDBConnection,
  options: WasmFunctionOptions,
): void {
  const { name, details, host } = options;
  const scalar = DuckDBScalarFunction.create({
    name,
    parameterTypes: details.input_types.map(duckType),
    returnType: duckType(details.return_type),
    volatile: details.volatility === 'volatile',
    mainFunction(_info, input, output) {
      const columns = details.input_types.map((_type, index) => input.getColumnVector(index));
      const rows = Array.from({ length: input.rowCount }, (_row, row) =>
        columns.map((column) => column.getItem(row)),
      );
      // A row with a NULL needs no call; the others keep their places.
      const called = rows.flatMap((row, index) => (row.includes(null) ? [] : [index]));
      const values = host.call(
        name,
        called.map((index) => rows[index]!.map(toWasm)),
      );
      for (let row = 0; row < rows.length; row += 1) output.setItem(row, null);
      for (const [position, row] of called.entries()) {
        output.setItem(row, fromWasm(values[position] ?? null, details.return_type));
      }
      output.flush();
    },
  });
  connection.registerScalarFunction(scalar);
}
