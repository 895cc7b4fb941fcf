// Which keys a file may have: zod's schemas, and its findings in our words with their lines.

import { z } from 'zod';

import { ConfigError, type ConfigProblem } from './errors.ts';
import type { YamlFile } from './yaml-file.ts';

type Shape = z.core.$ZodLooseShape;
type KeysAndValues<T extends Shape> = z.ZodPreprocess<
  z.ZodObject<{ -readonly [K in keyof T]: T[K] }, z.core.$strict>
>;

/** The mapping that a whole file is: these keys and no others. */
export function keysAndValues<T extends Shape>(shape: T): KeysAndValues<T> {
  return z.preprocess((value) => (value === '' ? {} : value), z.strictObject(shape));
}

/** A mapping inside of it, which may be left empty or away. */
export function section<T extends Shape>(shape: T): z.ZodOptional<KeysAndValues<T>> {
  return keysAndValues(shape).optional();
}

/** A key with one value, read by `parse`, which throws RangeError. */
export function scalar<T>(parse: (text: string) => T): z.ZodOptional<z.ZodType<T>> {
  const text = z.string({ error: 'expected one value here, not a list or a mapping' });
  return text.transform(orIssue(parse)).optional();
}

/** A key whose value, of whatever kind, is read by `read`, which throws RangeError. */
export function anything<T>(read: (value: unknown) => T): z.ZodOptional<z.ZodType<T>> {
  return z.unknown().transform(orIssue(read)).optional();
}

/** The file's content by a schema. Throws ConfigError with all that is wrong. */
export function readShape<T>(source: string, file: YamlFile, schema: z.ZodType<T>): T {
  const result = schema.safeParse(file.value);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => {
    return describe(issue, schema).map(({ path, message }): ConfigProblem => {
      const problem = { source, line: file.lineOf(path), message };
      return path.length === 0 ? problem : { ...problem, key: path.join('.') };
    });
  });
  throw new ConfigError(problems.sort((a, b) => a.line! - b.line!));
}

interface Finding {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function describe(issue: z.core.$ZodIssue, schema: z.ZodType): Finding[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, path).join(', ');
    return issue.keys.map((key) => {
      return { path: [...path, key], message: `there is no such key (known here: ${known})` };
    });
  }
  const isSection = issue.code === 'invalid_type' && issue.expected === 'object';
  return [{ path, message: isSection ? 'expected keys and values here' : issue.message }];
}

function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let current: unknown = schema;
  for (const part of [...path, undefined]) {
    if (current instanceof z.ZodOptional) current = current.unwrap();
    if (current instanceof z.ZodPipe && current.out instanceof z.ZodTransform) current = current.in;
    if (current instanceof z.ZodPipe) current = current.out;
    if (!(current instanceof z.ZodObject)) return [];
    if (part === undefined) return Object.keys(current.shape);
    current = current.shape[String(part)];
  }
  return [];
}

function orIssue<I, T>(read: (input: I) => T) {
  return (input: I, context: z.RefinementCtx): T => {
    try {
      return read(input);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  };
}
