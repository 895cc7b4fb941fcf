// A client of the history app that goes through the proxies, a different node each time, and keeps
// its cookies as a browser does: what it wrote it must see, wherever it reads.

import { setTimeout as sleep } from 'node:timers/promises';

import {
  type Cluster,
  type Glimpse,
  type HistoryRecorder,
  proxyUrl,
  type SeededRandom,
  type WriteOutcome,
} from '@skein/testkit';

export interface HistoryBrowserOptions {
  readonly name: string;
  readonly cluster: Cluster;
  readonly recorder: HistoryRecorder;
  readonly random: SeededRandom;
  /** Without cookies nothing is promised about what it sees of its own. */
  readonly hasCookies: boolean;
}

const PAUSE_MAX_MS = 20;
/** More than all bounded waits of a proxy together. */
const REQUEST_TIMEOUT_MS = 30_000;

interface ReadBody extends Glimpse {
  readonly node: string;
}

export class HistoryBrowser {
  /** Answers by status, for the message of a failure and to see that something happened. */
  readonly statuses = new Map<string, number>();
  readonly #options: HistoryBrowserOptions;
  readonly #cookies = new Map<string, string>();
  #isStopping = false;
  #loop: Promise<void> | undefined;

  constructor(options: HistoryBrowserOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { random } = this.#options;
    while (!this.#isStopping) {
      if (random.bool(0.3)) await this.#write();
      else await this.#read();
      await sleep(random.int(0, PAUSE_MAX_MS));
    }
  }

  async #write(): Promise<void> {
    const { name, recorder } = this.#options;
    await recorder.write({ client: name, session: this.#session }, async (value) => {
      const response = await this.#request('POST', `/write?value=${value}`);
      return { outcome: outcomeOf(response) };
    });
  }

  async #read(): Promise<void> {
    const { name, recorder, cluster } = this.#options;
    const startMs = performance.now();
    const response = await this.#request('GET', '/read');
    if (response?.status !== 200) return;
    const { node, ...seen } = (await response.json()) as ReadBody;
    const isPrimary = node === cluster.primary.name;
    const place = { client: name, node, isPrimary, session: this.#session };
    recorder.addRead(place, seen, startMs);
  }

  get #session(): string | undefined {
    return this.#options.hasCookies ? this.#options.name : undefined;
  }

  /** Undefined when no answer came. */
  async #request(method: 'GET' | 'POST', path: string): Promise<Response | undefined> {
    const { cluster, random, hasCookies } = this.#options;
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    try {
      const response = await fetch(`${proxyUrl(random.pick(cluster.places))}${path}`, {
        method,
        headers: cookie === '' ? {} : { cookie },
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      this.#count(`${method} ${response.status}`);
      if (hasCookies) this.#keepCookies(response);
      return response;
    } catch (error) {
      this.#count(`${method} ${(error as Error).name}`);
      return undefined;
    }
  }

  #keepCookies(response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const at = pair.indexOf('=');
      this.#cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
  }

  #count(what: string): void {
    this.statuses.set(what, (this.statuses.get(what) ?? 0) + 1);
  }
}

/** What the proxy and the app promise by their answer. */
function outcomeOf(response: Response | undefined): WriteOutcome {
  if (response?.status === 201) return 'acknowledged';
  // The app itself: its node is a replica.
  if (response?.status === 409) return 'failed';
  return response?.headers.get('skein-outcome') === 'not-executed' ? 'failed' : 'unknown';
}
