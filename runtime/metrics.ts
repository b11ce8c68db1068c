// Numbers for Prometheus. The only place that knows the metrics library.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

export type LabelValues<L extends string> = Readonly<Record<L, string>>;

/** What a metric is called and what its numbers are told apart by. */
export interface MetricOptions<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
}

export interface CounterMetric<L extends string> {
  inc(labels: LabelValues<L>, by?: number): void;
}

export interface GaugeMetric<L extends string> {
  add(labels: LabelValues<L>, by: number): void;
}

export interface HistogramMetric<L extends string> {
  observe(labels: LabelValues<L>, value: number): void;
}

/** The media type of `text()`. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";

/** One set of metrics: each server has its own, so that several can live in one process. */
export class Metrics {
  readonly #registry = new Registry();

  counter<L extends string>(options: MetricOptions<L>): CounterMetric<L> {
    const counter = new Counter<L>({ ...this.#common(options) });
    return { inc: (labels, by = 1) => counter.inc(labels, by) };
  }

  gauge<L extends string>(options: MetricOptions<L>): GaugeMetric<L> {
    const gauge = new Gauge<L>({ ...this.#common(options) });
    return { add: (labels, by) => gauge.inc(labels, by) };
  }

  /** A gauge, or with `isCounter` a counter, whose values are asked for when somebody reads the metrics. */
  readings<L extends string>(
    options: MetricOptions<L> & { readonly isCounter?: boolean },
    read: () => Iterable<readonly [LabelValues<L>, number]>,
  ): void {
    const common = this.#common(options);
    if (options.isCounter === true) {
      new Counter<L>({
        ...common,
        collect() {
          this.reset();
          for (const [labels, value] of read()) this.inc(labels, value);
        },
      });
    } else {
      new Gauge<L>({
        ...common,
        collect() {
          this.reset();
          for (const [labels, value] of read()) this.set(labels, value);
        },
      });
    }
  }

  histogram<L extends string>(options: MetricOptions<L> & { readonly buckets: readonly number[] }): HistogramMetric<L> {
    const histogram = new Histogram<L>({ ...this.#common(options), buckets: [...options.buckets] });
    return { observe: (labels, value) => histogram.observe(labels, value) };
  }

  /** Everything, in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #common<L extends string>(options: MetricOptions<L>) {
    const { name, help, labels = [] } = options;
    return { name, help, labelNames: [...labels], registers: [this.#registry] };
  }
}

let process: Registry | undefined;

/**
 * Memory, processor time, garbage collection and the delay of the event loop, once for the whole process. Measuring
 * starts with the first call, because the delay is found by a timer that wakes an idle process.
 */
export function processMetricsText(): Promise<string> {
  if (process === undefined) {
    process = new Registry();
    collectDefaultMetrics({ register: process, eventLoopMonitoringPrecision: 100 });
  }
  return process.metrics();
}
