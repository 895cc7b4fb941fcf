// Settings in the environment: SKEIN_LAKE_ and the key, `http.upload-size` as
// SKEIN_LAKE_HTTP_UPLOAD_SIZE. Lists are separated by commas.

import type { Source, WrittenSetting } from './draft.ts';
import type { LakeConfigProblem } from './errors.ts';
import { isList, SETTING_KEYS } from './lake-schema.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'SKEIN_LAKE_';
/** Of the process that started this one, and of tests. */
const OTHERS: ReadonlySet<string> = new Set(['SKEIN_LAKE_CONFINED']);

export function environmentSource(environment: Environment): Source {
  const keys = new Map(SETTING_KEYS.map((key) => [variableOf(key), key]));
  const draft = new Map<string, WrittenSetting>();
  const problems: LakeConfigProblem[] = [];
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || value === undefined || value === '' || OTHERS.has(name))
      continue;
    const key = keys.get(name);
    if (key === undefined) {
      problems.push({ place: name, key: undefined, message: 'there is no such setting' });
      continue;
    }
    for (const [each, text] of isList(key) ? listed(key, value) : [[key, value] as const]) {
      draft.set(each, { text, place: name });
    }
  }
  return { draft, problems, notes: [] };
}

function listed(key: string, value: string): (readonly [string, string])[] {
  return value.split(',').map((each, index) => [`${key}.${index}`, each.trim()] as const);
}

function variableOf(key: string): string {
  return PREFIX + key.toUpperCase().replaceAll(/[.-]/g, '_');
}
