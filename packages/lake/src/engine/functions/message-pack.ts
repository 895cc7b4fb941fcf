// MessagePack, as far as WASM functions speak it:
// https://github.com/msgpack/msgpack/blob/master/spec.md
//
// Arguments and results are nil, booleans, integers, floats, texts and arrays of them. Maps, binary
// and extension types are refused.

export type PackValue = null | boolean | number | bigint | string | PackValue[];

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const DEPTH_MAX = 8;

/** Integers of JavaScript become the shortest form; bigints and floats keep eight bytes. */
export function encodePack(value: PackValue): Uint8Array {
  const bytes: number[] = [];
  put(bytes, value);
  return Uint8Array.from(bytes);
}

/** Throws RangeError for what is no value, or more than one. */
export function decodePack(bytes: Uint8Array): PackValue {
  const reader = new PackReader(bytes);
  const value = reader.value(0);
  if (!reader.isAtEnd) throw new RangeError('Bytes follow the value');
  return value;
}

function put(bytes: number[], value: PackValue): void {
  if (value === null) bytes.push(0xc0);
  else if (typeof value === 'boolean') bytes.push(value ? 0xc3 : 0xc2);
  else if (typeof value === 'bigint') putBigint(bytes, value);
  else if (typeof value === 'number') putNumber(bytes, value);
  else if (typeof value === 'string') putText(bytes, value);
  else {
    bytes.push(0xdd, ...u32(value.length));
    for (const item of value) put(bytes, item);
  }
}

function putBigint(bytes: number[], value: bigint): void {
  if (value < INT64_MIN || value > INT64_MAX) throw new RangeError('The integer is too large');
  const buffer = new DataView(new ArrayBuffer(8));
  buffer.setBigInt64(0, value);
  bytes.push(0xd3, ...new Uint8Array(buffer.buffer));
}

function putNumber(bytes: number[], value: number): void {
  const buffer = new DataView(new ArrayBuffer(8));
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 31) {
    buffer.setInt32(0, value);
    bytes.push(0xd2, ...new Uint8Array(buffer.buffer, 0, 4));
    return;
  }
  buffer.setFloat64(0, value);
  bytes.push(0xcb, ...new Uint8Array(buffer.buffer));
}

function putText(bytes: number[], value: string): void {
  const text = new TextEncoder().encode(value);
  bytes.push(0xdb, ...u32(text.length));
  for (const byte of text) bytes.push(byte);
}

function u32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

class PackReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  value(depth: number): PackValue {
    if (depth > DEPTH_MAX) throw new RangeError('Values are nested too deeply');
    const tag = this.#view.getUint8(this.#take(1));
    if (tag <= 0x7f) return tag;
    if (tag >= 0xe0) return tag - 0x100;
    if (tag >= 0x90 && tag <= 0x9f) return this.#array(tag & 0x0f, depth);
    if (tag >= 0xa0 && tag <= 0xbf) return this.#text(tag & 0x1f);
    return this.#tagged(tag, depth);
  }

  #tagged(tag: number, depth: number): PackValue {
    const view = this.#view;
    switch (tag) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xca:
        return view.getFloat32(this.#take(4));
      case 0xcb:
        return view.getFloat64(this.#take(8));
      case 0xcc:
        return view.getUint8(this.#take(1));
      case 0xcd:
        return view.getUint16(this.#take(2));
      case 0xce:
        return view.getUint32(this.#take(4));
      case 0xcf:
        return view.getBigUint64(this.#take(8));
      case 0xd0:
        return view.getInt8(this.#take(1));
      case 0xd1:
        return view.getInt16(this.#take(2));
      case 0xd2:
        return view.getInt32(this.#take(4));
      case 0xd3:
        return view.getBigInt64(this.#take(8));
      case 0xd9:
        return this.#text(view.getUint8(this.#take(1)));
      case 0xda:
        return this.#text(view.getUint16(this.#take(2)));
      case 0xdb:
        return this.#text(view.getUint32(this.#take(4)));
      case 0xdc:
        return this.#array(view.getUint16(this.#take(2)), depth);
      case 0xdd:
        return this.#array(view.getUint32(this.#take(4)), depth);
      default:
        throw new RangeError(`Unknown tag 0x${tag.toString(16)}`);
    }
  }

  #text(length: number): string {
    const start = this.#take(length);
    return new TextDecoder('utf-8', { fatal: true }).decode(
      this.#bytes.subarray(start, start + length),
    );
  }

  #array(length: number, depth: number): PackValue[] {
    // Each item has a byte at least: a length that lies is refused before it is allocated.
    if (length > this.#bytes.length - this.#at) throw new RangeError('The array is cut off');
    return Array.from({ length }, () => this.value(depth + 1));
  }

  #take(length: number): number {
    const start = this.#at;
    if (start + length > this.#bytes.length) throw new RangeError('The value is cut off');
    this.#at += length;
    return start;
  }
}
