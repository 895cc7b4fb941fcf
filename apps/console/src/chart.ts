// A result as a chart: lines over time and numbers, bars over texts.

import uPlot, { type Options } from 'uplot';
import 'uplot/dist/uPlot.min.css';

import { type ChartData, maybeChartData } from './chart-data.ts';
import type { Column } from './columns.ts';
import { make } from './dom.ts';
import type { Row } from './json-lines.ts';

const COLOURS = [
  '#2f9e83',
  '#3d8fd1',
  '#d9822b',
  '#a24fc9',
  '#c94f6d',
  '#7a8b1f',
  '#5566c9',
  '#8a6d3b',
];
const HEIGHT_MIN = 160;
/** Between the names of the series, which uPlot puts below, and the end of the panel. */
const GAP = 14;

export class ResultsChart {
  readonly #parent: HTMLElement;
  #plot: uPlot | undefined;
  #data: ChartData | undefined;

  constructor(parent: HTMLElement) {
    this.#parent = parent;
    new ResizeObserver(() => this.#resize()).observe(parent);
  }

  show(columns: readonly Column[], rows: readonly Row[]): void {
    this.#data = maybeChartData(columns, rows);
    this.draw();
  }

  clear(): void {
    this.#data = undefined;
    this.draw();
  }

  /** Where it is not seen it has no size, and is drawn when it is. */
  draw(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
    const data = this.#data;
    if (data === undefined) {
      const text = 'A chart needs rows with a time, number or name, and numbers over it.';
      this.#parent.replaceChildren(make('p', { class: 'empty' }, text));
      return;
    }
    this.#parent.replaceChildren();
    if (this.#parent.clientWidth === 0) return;
    const values = data.series.map((series) => [...series.values]);
    this.#plot = new uPlot(this.#optionsOf(data), [[...data.x], ...values], this.#parent);
    // How high the names are shows when they are there.
    this.#plot.setSize(this.#size());
  }

  #resize(): void {
    if (this.#plot === undefined) {
      if (this.#data !== undefined && this.#parent.clientWidth > 0) this.draw();
      return;
    }
    this.#plot.setSize(this.#size());
  }

  #size(): { width: number; height: number } {
    const { clientWidth, clientHeight } = this.#parent;
    const legendHeight = this.#parent.querySelector<HTMLElement>('.u-legend')?.offsetHeight ?? 0;
    const height = Math.max(HEIGHT_MIN, clientHeight - legendHeight - GAP);
    return { width: clientWidth, height };
  }

  #optionsOf({ axis, labels, series }: ChartData): Options {
    const ink = getComputedStyle(this.#parent).getPropertyValue('--ink-soft');
    const line = getComputedStyle(this.#parent).getPropertyValue('--line');
    const shared = {
      stroke: ink,
      grid: { stroke: line, width: 1 },
      ticks: { stroke: line, width: 1 },
    };
    const isBars = labels !== undefined;
    const bars = uPlot.paths.bars?.({ size: [0.7, 60] });
    return {
      ...this.#size(),
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
      scales: {
        x: {
          time: axis.kind === 'time',
          ...(isBars ? { range: [-0.6, Math.max(labels.length - 0.4, 0.6)] } : {}),
        },
      },
      axes: [
        isBars
          ? { ...shared, values: (_, places) => places.map((place) => labels[place] ?? '') }
          : shared,
        { ...shared, size: 64 },
      ],
      series: [
        { label: axis.name, ...(isBars ? { value: (_, place) => labels[place] ?? '' } : {}) },
        ...series.map(({ name }, index) => {
          const colour = COLOURS[index % COLOURS.length]!;
          const paths = isBars && bars !== undefined ? { paths: bars, fill: `${colour}99` } : {};
          return { label: name, stroke: colour, width: 2, ...paths };
        }),
      ],
    };
  }
}
