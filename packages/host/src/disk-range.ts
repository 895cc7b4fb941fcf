// Checks of arguments that all implementations of DiskFile and BackgroundIo share: Node itself
// takes a negative position for "where the last call ended" and a fraction for an integer.

/** Throws RangeError unless the range lies in the buffer and the position can be in a file. */
export function checkTransfer(
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
): void {
  const isInBuffer = isCount(offset) && isCount(length) && offset + length <= bytes.length;
  if (isInBuffer && isCount(position)) return;
  const range = `offset ${offset}, length ${length}, position ${position}`;
  throw new RangeError(`Cannot transfer ${range} with a buffer of ${bytes.length} bytes`);
}

/** Throws RangeError unless a file can have this size. */
export function checkSize(sizeBytes: number): void {
  if (!isCount(sizeBytes)) throw new RangeError(`Cannot set the size of a file to ${sizeBytes}`);
}

/** Throws RangeError unless a file can have this range; it may be empty. */
export function checkFileRange(range: { readonly from: number; readonly to: number }): void {
  if (isCount(range.from) && isCount(range.to) && range.from <= range.to) return;
  throw new RangeError(`Cannot fill a file from ${range.from} to ${range.to}`);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
