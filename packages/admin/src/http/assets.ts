// What pages load beside themselves: styles, a script, a picture. Each comes from this package or
// from Pico's, never from another host, and under an address that changes with its content.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

export interface Asset {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
  readonly version: string;
}

export type AssetName = 'pico.css' | 'admin.css' | 'admin.js' | 'icon.svg';

const require = createRequire(import.meta.url);

const FILES: Readonly<Record<AssetName, readonly [path: string, contentType: string]>> = {
  'pico.css': [require.resolve('@picocss/pico/css/pico.min.css'), 'text/css; charset=utf-8'],
  'admin.css': [ownFile('admin.css'), 'text/css; charset=utf-8'],
  'admin.js': [ownFile('admin.js'), 'text/javascript; charset=utf-8'],
  'icon.svg': [ownFile('icon.svg'), 'image/svg+xml'],
};

function ownFile(name: string): string {
  return fileURLToPath(new URL(`../../assets/${name}`, import.meta.url));
}

export function isAssetName(name: string): name is AssetName {
  return Object.hasOwn(FILES, name);
}

/** Reads each file once. */
export class Assets {
  readonly #known = new Map<AssetName, Asset>();

  get(name: AssetName): Asset {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const [path, contentType] = FILES[name];
    const body = new Uint8Array(readFileSync(path));
    const version = createHash('sha256').update(body).digest('base64url').slice(0, 10);
    const asset = { body, contentType, version };
    this.#known.set(name, asset);
    return asset;
  }
}
