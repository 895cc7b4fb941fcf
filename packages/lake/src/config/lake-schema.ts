// Which settings a lake has, and how each is read. The same names stand in lake.yml, as
// SKEIN_LAKE_… in the environment, and in messages.

import type { LogFormat, LogLevel } from '@skein/host';
import { z } from 'zod';

import type { AccessRule } from '../http/access.ts';
import type { Address } from '../http/listening.ts';
import type { Draft } from './draft.ts';
import type { LakeConfigProblem } from './errors.ts';
import { access, address, duration, oneOf, size, text, whole, yesOrNo } from './values.ts';

/** Far more than any machine has. */
const COUNT_MAX = 1_000_000;

const SECTIONS = {
  catalog: { path: text, node: text, 'read-only': yesOrNo },
  data: { path: text, 'cache-path': text, 'cache-size': size },
  s3: {
    endpoint: text,
    region: text,
    'access-key': text,
    'secret-key': text,
    'session-token': text,
    'path-style': yesOrNo,
  },
  http: {
    address,
    read: access,
    write: access,
    'cache-control': text,
    'upload-size': size,
    'allow-origins': z.array(text),
    page: text,
  },
  metrics: { address },
  engine: {
    memory: size,
    threads: whole(1, 1024),
    scratch: text,
    extensions: text,
    exports: text,
    confine: yesOrNo,
  },
  limits: {
    queries: whole(1, 1024),
    waiting: whole(0, COUNT_MAX),
    writes: whole(1, COUNT_MAX),
    'query-time': duration,
    'position-time': duration,
    'query-size': size,
    'result-cache': size,
    connections: whole(1, COUNT_MAX),
  },
  external: {
    hosts: z.array(text),
    private: yesOrNo,
    size,
    time: duration,
    folders: z.array(text),
  },
  maintenance: {
    interval: duration,
    'inline-rows': whole(0, COUNT_MAX),
    'flush-rows': whole(1, COUNT_MAX * 1000),
    'flush-after': duration,
    'file-size': size,
    'keep-snapshots': duration,
    'keep-files': duration,
  },
  log: { level: oneOf('debug', 'info', 'warn', 'error'), format: oneOf('text', 'json') },
} as const;

const SCHEMA = z.strictObject({
  catalog: section(SECTIONS.catalog),
  data: section(SECTIONS.data),
  s3: section(SECTIONS.s3),
  http: section(SECTIONS.http),
  metrics: section(SECTIONS.metrics),
  engine: section(SECTIONS.engine),
  limits: section(SECTIONS.limits),
  external: section(SECTIONS.external),
  maintenance: section(SECTIONS.maintenance),
  log: section(SECTIONS.log),
});

/** A section may be left out, and each of its keys. */
type Section<T> = { readonly [K in keyof T]?: T[K] | undefined } | undefined;

export interface LakeSettings {
  readonly catalog?: Section<{ path: string; node: string; 'read-only': boolean }>;
  readonly data?: Section<{ path: string; 'cache-path': string; 'cache-size': number }>;
  readonly s3?: Section<{
    endpoint: string;
    region: string;
    'access-key': string;
    'secret-key': string;
    'session-token': string;
    'path-style': boolean;
  }>;
  readonly http?: Section<{
    address: Address;
    read: AccessRule;
    write: AccessRule;
    'cache-control': string;
    'upload-size': number;
    'allow-origins': readonly string[];
    page: string;
  }>;
  readonly metrics?: Section<{ address: Address }>;
  readonly engine?: Section<{
    memory: number;
    threads: number;
    scratch: string;
    extensions: string;
    exports: string;
    confine: boolean;
  }>;
  readonly limits?: Section<{
    queries: number;
    waiting: number;
    writes: number;
    'query-time': number;
    'position-time': number;
    'query-size': number;
    'result-cache': number;
    connections: number;
  }>;
  readonly external?: Section<{
    hosts: readonly string[];
    private: boolean;
    size: number;
    time: number;
    folders: readonly string[];
  }>;
  readonly maintenance?: Section<{
    interval: number;
    'inline-rows': number;
    'flush-rows': number;
    'flush-after': number;
    'file-size': number;
    'keep-snapshots': number;
    'keep-files': number;
  }>;
  readonly log?: Section<{ level: LogLevel; format: LogFormat }>;
}

/** `http.address` and so on. */
export const SETTING_KEYS: readonly string[] = Object.entries(SECTIONS).flatMap(([name, keys]) =>
  Object.keys(keys).map((key) => `${name}.${key}`),
);

/** Whether a key has several values. */
export function isList(key: string): boolean {
  const [name = '', ...rest] = key.split('.');
  const types = (SECTIONS as Readonly<Record<string, Readonly<Record<string, unknown>>>>)[name];
  return types?.[rest.join('.')] instanceof z.ZodArray;
}

function section<T extends z.core.$ZodLooseShape>(
  shape: T,
): z.ZodOptional<z.ZodObject<{ [K in keyof T]: z.ZodOptional<T[K]> }, z.core.$strict>> {
  const optional = Object.fromEntries(
    Object.entries(shape).map(([key, type]) => [key, z.optional(type)]),
  ) as { [K in keyof T]: z.ZodOptional<T[K]> };
  return z.strictObject(optional).optional();
}

export type ReadSettings =
  | { readonly settings: LakeSettings }
  | { readonly problems: readonly LakeConfigProblem[] };

export function readSettings(tree: unknown, draft: Draft): ReadSettings {
  const result = SCHEMA.safeParse(tree);
  if (result.success) return { settings: result.data };
  const problems = result.error.issues.flatMap((issue): LakeConfigProblem[] => {
    const path = issue.path.map(String);
    if (issue.code !== 'unrecognized_keys') return [problemAt(path, issue.message, draft)];
    return issue.keys.map((key) => problemAt([...path, key], unknownKey(path), draft));
  });
  return { problems };
}

function unknownKey([name]: readonly string[]): string {
  const sections: Readonly<Record<string, object>> = SECTIONS;
  const known = name === undefined ? sections : (sections[name] ?? sections);
  return `there is no such key (known here: ${Object.keys(known).join(', ')})`;
}

function problemAt(path: readonly string[], message: string, draft: Draft): LakeConfigProblem {
  const key = path.join('.');
  const inside = [...draft].find(([each]) => each === key || each.startsWith(`${key}.`));
  return { place: inside?.[1].place ?? 'configuration', key, message };
}
