// Notices that nothing comes from a peer any more.
//
// Ticks are counted, not time: after this process was stopped, or was busy, one tick comes where
// there should have been many, and the peer is not blamed for it.

const TICKS = 7;

export interface SilenceWatchOptions {
  readonly silenceMs: number;
  /** How many times the silence is borne now; Infinity while nothing can be heard. Default 1. */
  readonly patience?: () => number;
  readonly onSilent: () => void;
}

export class SilenceWatch {
  readonly #options: SilenceWatchOptions;
  readonly #timer: NodeJS.Timeout;
  #silentTicks = 0;

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), options.silenceMs / TICKS);
  }

  /** Something came. */
  heard(): void {
    this.#silentTicks = 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const { patience, onSilent } = this.#options;
    const factor = patience?.() ?? 1;
    this.#silentTicks = factor === Infinity ? 0 : this.#silentTicks + 1;
    if (this.#silentTicks <= TICKS * factor) return;
    this.stop();
    onSilent();
  }
}
