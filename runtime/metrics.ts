// Numbers for Prometheus. The only place that knows the metrics library.
import { collectDefaultMetrics, type Metric, Registry } from "prom-client";

export type LabelValues<L extends string> = Readonly<Record<L, string>>;

/** What a metric is called and what its numbers are told apart by. */
export interface MetricOptions<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
}

/** One number. Holding it saves finding it by its labels. */
export interface NumberSeries {
  add(by: number): void;
}

export interface HistogramSeries {
  observe(value: number): void;
}

/** The media type of `text()`. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";

type Type = "counter" | "gauge" | "histogram";

/** A value as the library prints it. */
interface Sample {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** One set of metrics: each server has its own, so that several can live in one process. */
export class Metrics {
  readonly #registry = new Registry();

  counter<L extends string>(options: MetricOptions<L>): Family<L, NumberSeries> {
    return this.#numbers(options, "counter");
  }

  gauge<L extends string>(options: MetricOptions<L>): Family<L, NumberSeries> {
    return this.#numbers(options, "gauge");
  }

  histogram<L extends string>(
    options: MetricOptions<L> & { readonly buckets: readonly number[] },
  ): Family<L, HistogramSeries> {
    const { name, buckets } = options;
    const family = new Family(options.labels ?? [], () => new Distribution(buckets));
    this.#register(options, "histogram", () =>
      [...family.entries()].flatMap(([labels, series]) => series.samples(name, labels)),
    );
    return family;
  }

  /** A gauge, or with `isCounter` a counter, whose values are asked for when somebody reads the metrics. */
  readings<L extends string>(
    options: MetricOptions<L> & { readonly isCounter?: boolean },
    read: () => Iterable<readonly [LabelValues<L>, number]>,
  ): void {
    this.#register(options, options.isCounter === true ? "counter" : "gauge", () =>
      [...read()].map(([labels, value]) => ({ labels, value })),
    );
  }

  /** Everything, in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #numbers<L extends string>(options: MetricOptions<L>, type: Type): Family<L, Sum> {
    const family = new Family(options.labels ?? [], () => new Sum());
    this.#register(options, type, () => [...family.entries()].map(([labels, { value }]) => ({ labels, value })));
    return family;
  }

  #register({ name, help }: MetricOptions<string>, type: Type, values: () => readonly Sample[]): void {
    // The library's own metrics find a number by its labels at every change, which costs more than some requests do. It
    // reads no more of a metric than this when it prints one.
    const metric = { name, help, type, aggregator: "sum", get: async () => ({ name, help, type, values: values() }) };
    this.#registry.registerMetric(metric as unknown as Metric);
  }
}

/** The numbers of one metric, by their labels. */
export class Family<L extends string, S> {
  readonly #labels: readonly L[];
  readonly #make: () => S;
  readonly #series = new Map<string, readonly [LabelValues<L>, S]>();

  constructor(labels: readonly L[], make: () => S) {
    this.#labels = labels;
    this.#make = make;
  }

  /** The numbers with these labels; from then on they are printed. */
  of(labels: LabelValues<L>): S {
    const key = this.#labels.map((label) => labels[label]).join("\u0000");
    let entry = this.#series.get(key);
    if (entry === undefined) {
      entry = [labels, this.#make()];
      this.#series.set(key, entry);
    }
    return entry[1];
  }

  entries(): Iterable<readonly [LabelValues<L>, S]> {
    return this.#series.values();
  }
}

class Sum implements NumberSeries {
  value = 0;

  add(by: number): void {
    this.value += by;
  }
}

class Distribution implements HistogramSeries {
  readonly #bounds: readonly number[];
  /** Values up to each bound and above the one before; the last is for those above all. */
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    let index = 0;
    while (index < this.#bounds.length && value > this.#bounds[index]!) index += 1;
    this.#counts[index]! += 1;
    this.#sum += value;
  }

  samples(name: string, labels: Readonly<Record<string, string>>): Sample[] {
    let count = 0;
    const buckets = this.#counts.map((each, index) => {
      count += each;
      return { metricName: `${name}_bucket`, labels: { ...labels, le: this.#bounds[index] ?? "+Inf" }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: this.#sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}

let ofProcess: Registry | undefined;

/**
 * Memory, processor time, garbage collection and the delay of the event loop, once for the whole process. Measuring
 * starts with the first call, because the delay is found by a timer that wakes an idle process.
 */
export function processMetricsText(): Promise<string> {
  if (ofProcess === undefined) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess, eventLoopMonitoringPrecision: 100 });
  }
  return ofProcess.metrics();
}
