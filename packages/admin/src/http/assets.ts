// What pages load beside themselves: styles, a script, a picture. Each comes from this package or
// from Pico's, never from another host, and under an address that changes with its content.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

export interface Asset {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
  readonly version: string;
}

export type AssetName = 'admin.css' | 'admin.js' | 'icon.svg';

/** The files of assets/styles, in the order in which they are joined. */
const STYLES = [
  'tokens',
  'base',
  'bar',
  'frame',
  'buttons',
  'parts',
  'values',
  'overview',
  'tables',
  'list',
  'forms',
];

const SOURCES: Readonly<Record<AssetName, readonly [read: () => string, contentType: string]>> = {
  'admin.css': [joinStyles, 'text/css; charset=utf-8'],
  'admin.js': [() => readOwn('admin.js'), 'text/javascript; charset=utf-8'],
  'icon.svg': [() => readOwn('icon.svg'), 'image/svg+xml'],
};

function readOwn(name: string): string {
  return readFileSync(new URL(`../../assets/${name}`, import.meta.url), 'utf8');
}

/** One sheet. Pico is in a layer: whatever its selectors are, ours win. */
function joinStyles(): string {
  const require = createRequire(import.meta.url);
  const pico = readFileSync(require.resolve('@picocss/pico/css/pico.min.css'), 'utf8');
  const own = STYLES.map((name) => readOwn(`styles/${name}.css`));
  return [`@layer pico {\n${pico}\n}`, ...own].join('\n');
}

export function isAssetName(name: string): name is AssetName {
  return Object.hasOwn(SOURCES, name);
}

/** Makes each once. */
export class Assets {
  readonly #known = new Map<AssetName, Asset>();

  get(name: AssetName): Asset {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const [read, contentType] = SOURCES[name];
    const body = new TextEncoder().encode(read());
    const version = createHash('sha256').update(body).digest('base64url').slice(0, 10);
    const asset = { body, contentType, version };
    this.#known.set(name, asset);
    return asset;
  }
}
