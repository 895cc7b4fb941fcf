// WebAssembly as JavaScript has it, as far as it is used here: the types of Node do not have it,
// and those of browsers would bring a thousand names that do not exist here.
// https://webassembly.github.io/spec/js-api/

export type WasmFunction = (...args: readonly unknown[]) => unknown;

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** Opaque; can be sent to another thread. */
export interface WasmModule {
  readonly [Symbol.toStringTag]: string;
}

export interface WasmImport {
  readonly module: string;
  readonly name: string;
  readonly kind: string;
}

export type WasmImports = Readonly<Record<string, Readonly<Record<string, WasmFunction>>>>;

interface WasmApi {
  readonly Module: {
    imports(module: WasmModule): readonly WasmImport[];
    exports(module: WasmModule): readonly Omit<WasmImport, 'module'>[];
  };
  readonly Instance: new (
    module: WasmModule,
    imports: WasmImports,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly Memory: new (options: { readonly initial: number }) => WasmMemory;
  compile(bytes: Uint8Array): Promise<WasmModule>;
}

declare const WebAssembly: WasmApi;

export const wasm: WasmApi = WebAssembly;
