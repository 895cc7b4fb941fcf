import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { ByteWriter } from './byte-writer.ts';
import {
  formatDecimal,
  formatDouble,
  formatFloat,
  MICROSECONDS,
  NANOSECONDS,
  writeDate,
  writeTimestamp,
} from './value-text.ts';

function textOf(write: (out: ByteWriter) => void): string {
  const out = new ByteWriter();
  write(out);
  return out.take().toString();
}

test('integer() writes what String() does', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      assert.equal(
        textOf((out) => out.integer(value)),
        String(value),
      );
    }),
  );
  for (const value of [0, 9, 10, 999_999_999, 1e9, 1e9 - 1, 1e18 / 1000, -1e9]) {
    assert.equal(
      textOf((out) => out.integer(value)),
      String(value),
    );
  }
});

test('writeTimestamp() writes the day and time that Date does', () => {
  const milliseconds = fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 });
  fc.assert(
    fc.property(milliseconds, fc.integer({ min: 0, max: 999 }), (ms, micros) => {
      const exact = BigInt(ms) * 1000n + BigInt(micros);
      const time = Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
      const shown = textOf((out) => writeTimestamp(out, time, MICROSECONDS, true));
      const iso = new Date(ms).toISOString();
      const fraction = iso.slice(20, 23) + String(micros).padStart(3, '0');
      const expected = fraction === '000000' ? '' : `.${fraction.replace(/000$/, '')}`;
      assert.equal(shown, `${iso.slice(0, 19)}${expected}Z`);
      const asBigint = textOf((out) => writeTimestamp(out, exact, MICROSECONDS, true));
      assert.equal(asBigint, shown);
    }),
  );
  const nanos = textOf((out) => writeTimestamp(out, 1n, NANOSECONDS, false));
  assert.equal(nanos, '1970-01-01T00:00:00.000000001');
});

test('writeDate() knows years before the first and after the 9999th', () => {
  const dayOf = (text: string): number => Date.parse(`${text}T00:00:00Z`) / 86_400_000;
  assert.equal(
    textOf((out) => writeDate(out, dayOf('-000044-03-15'))),
    '-0044-03-15',
  );
  assert.equal(
    textOf((out) => writeDate(out, dayOf('+012345-12-31'))),
    '12345-12-31',
  );
});

test('floats read back as the same, with a fraction or an exponent', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const text = formatDouble(value);
      assert.ok(Object.is(Number(text), value), text);
      assert.match(text, /[.e]/);
      assert.doesNotThrow(() => JSON.parse(text));
    }),
  );
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      assert.ok(Object.is(Math.fround(Number(formatFloat(value))), value), formatFloat(value));
    }),
  );
  assert.equal(formatFloat(Math.fround(0.1)), '0.1');
  assert.equal(formatDouble(1e21), '1e21');
});

test('formatDecimal() keeps the scale', () => {
  assert.equal(formatDecimal(-5, 3), '-0.005');
  assert.equal(formatDecimal(10_000_000_000n, 10), '1.0000000000');
  assert.equal(formatDecimal(42, 0), '42');
});
