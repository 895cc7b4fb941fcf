// Certificates for tests of TLS: an authority that lives as long as the test, and what it issues.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
const VALID = ['-days', '2'];

/** Paths of PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export class Authority {
  readonly #folder: string;
  readonly #own: Certificate;

  /** Files go to `folder`, named by `name`. */
  constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#own = pathsOf(folder, name);
    openssl([...KEY, ...VALID, '-subj', `/CN=${name}`, ...outputs(this.#own)]);
  }

  /** What peers trust. */
  get ca(): string {
    return this.#own.cert;
  }

  /** `address`: where the node is found, as in `IP:127.0.0.1` or `DNS:node1`. */
  issue(name: string, address: string): Certificate {
    const issued = pathsOf(this.#folder, name);
    const { cert, key } = this.#own;
    const extensions = [`subjectAltName=${address}`, 'basicConstraints=critical,CA:FALSE'];
    openssl([
      '-CA',
      cert,
      '-CAkey',
      key,
      ...KEY,
      ...VALID,
      '-subj',
      `/CN=${name}`,
      ...extensions.flatMap((extension) => ['-addext', extension]),
      ...outputs(issued),
    ]);
    return issued;
  }
}

function pathsOf(folder: string, name: string): Certificate {
  return { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
}

function outputs({ cert, key }: Certificate): readonly string[] {
  return ['-out', cert, '-keyout', key];
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', ['req', '-x509', ...args], { stdio: 'pipe' });
}
