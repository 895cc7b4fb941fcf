// The way into the C library: one place that loads it and turns a failed call into a SyscallError.
//
// Linux only, 64-bit only: the layouts of the structs in this folder are those of x86-64 and arm64,
// and variadic calls (ioctl, fcntl) are declared with the arguments they are used with, which is
// the same convention on both. koffi costs 0.2 µs a call (Node 24, 2026), less than node:fs.

import koffi, { type KoffiFunc } from 'koffi';

import { SyscallError } from '../errors.ts';
import { errnoName } from './errno.ts';

const libc = koffi.load(null);

/** A function of the C library, by its C declaration: `int close(int fd)`. */
export function libcFunction<T extends (...args: never[]) => unknown>(
  declaration: string,
): KoffiFunc<T> {
  return libc.func(declaration) as KoffiFunc<T>;
}

/** The same for one that not every C library has. */
export function maybeLibcFunction<T extends (...args: never[]) => unknown>(
  declaration: string,
): KoffiFunc<T> | undefined {
  try {
    return libcFunction<T>(declaration);
  } catch {
    return undefined;
  }
}

/** The error number of the call that this thread made just before: nothing may come between. */
export function lastErrno(): number {
  return koffi.errno();
}

export function syscallError(call: string, errno: number): SyscallError {
  return new SyscallError(call, errno, errnoName(errno));
}

/** Passes on the result of a call that says -1 when it fails; throws SyscallError for that. */
export function checkResult(call: string, result: number): number {
  if (result === -1) throw syscallError(call, lastErrno());
  return result;
}

/** Address of the memory behind `bytes`, for a field of a struct that is a pointer. */
export function addressOf(bytes: Uint8Array): bigint {
  return koffi.address(bytes);
}

/** The memory at `address` as an ArrayBuffer, without a copy and without an owner. */
export function memoryAt(address: bigint, length: number): ArrayBuffer {
  return koffi.view(address, length);
}
